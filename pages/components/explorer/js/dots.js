// The dots: WebGL, or a plain 2-D canvas where there is none. Both can draw halfway between two
// maps, which is how the pieces glide when the instrument changes.

const VERTEX = `
attribute vec3 a_from; attribute vec3 a_to; attribute vec4 a_colour;
uniform float u_t, u_size, u_solid; uniform mat3 u_turn; uniform vec2 u_scale, u_origin, u_view;
varying vec4 v_colour; varying float v_size, v_cut;
void main() {
  vec3 at = u_turn * mix(a_from, a_to, u_t);
  vec2 pixel = u_origin + at.xy * vec2(u_scale.x, -u_scale.y);
  gl_Position = vec4(pixel / u_view * vec2(2.0, -2.0) + vec2(-1.0, 1.0), -0.5 * at.z, 1.0);
  float near = u_solid * at.z; // what is far is smaller and fainter
  v_size = u_size * (1.0 + 0.3 * near);
  gl_PointSize = v_size;
  v_cut = 0.5 * u_solid; // a soft rim would hide what lies behind it
  v_colour = vec4(a_colour.rgb, a_colour.a * (1.0 - 0.3 * u_solid + 0.3 * near));
}`;

const FRAGMENT = `
precision mediump float;
varying vec4 v_colour; varying float v_size, v_cut;
void main() {
  float r = length(gl_PointCoord - 0.5) * v_size;
  float inside = 1.0 - smoothstep(v_size * 0.5 - 1.2, v_size * 0.5, r);
  if (inside <= v_cut) discard;
  float alpha = v_colour.a * inside;
  gl_FragColor = vec4(v_colour.rgb * alpha, alpha);
}`;

class GlDots {
  constructor(canvas) {
    this.kind = "webgl";
    this.canvas = canvas;
    this.gl = canvas.getContext("webgl", { antialias: false, premultipliedAlpha: true });
    if (!this.gl) throw new Error("no WebGL");
    const about = this.gl.getExtension("WEBGL_debug_renderer_info");
    const by = about ? this.gl.getParameter(about.UNMASKED_RENDERER_WEBGL) : "";
    this.soft = /swiftshader|llvmpipe|software|basic render/i.test(by); // there is no GPU
    this.lost = false;
    canvas.addEventListener("webglcontextlost", (event) => {
      event.preventDefault();
      this.lost = true;
    });
    canvas.addEventListener("webglcontextrestored", () => {
      this.lost = false;
      this.#build();
      if (this.from) this.place(this.from, this.to);
      if (this.colours) this.paint(this.colours);
      this.restored?.();
    });
    this.#build();
  }

  #build() {
    const gl = this.gl;
    const program = gl.createProgram();
    for (const [type, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(type);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) {
      throw new Error("the shaders do not link");
    }
    gl.useProgram(program);
    this.at = {};
    for (const name of ["t", "size", "solid", "turn", "scale", "origin", "view"]) {
      this.at[name] = gl.getUniformLocation(program, `u_${name}`);
    }
    this.buffers = {};
    for (const [name, size, type] of [
      ["from", 3, gl.FLOAT], ["to", 3, gl.FLOAT], ["colour", 4, gl.UNSIGNED_BYTE],
    ]) {
      const place = gl.getAttribLocation(program, `a_${name}`);
      this.buffers[name] = gl.createBuffer();
      const bytes = type === gl.UNSIGNED_BYTE;
      // Every dot, or one in `thin`.
      this.buffers[name].read = (thin) => {
        gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[name]);
        gl.vertexAttribPointer(place, size, type, bytes, thin * (bytes ? size : 4 * size), 0);
      };
      gl.enableVertexAttribArray(place);
      this.buffers[name].read(1);
    }
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  }

  #fill(name, array) {
    const gl = this.gl;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[name]);
    gl.bufferData(gl.ARRAY_BUFFER, array, gl.DYNAMIC_DRAW);
  }

  // A browser lets few maps be drawn at once: give this one back.
  destroy() { this.gl.getExtension("WEBGL_lose_context")?.loseContext(); }

  place(from, to) {
    Object.assign(this, { from, to });
    this.#fill("from", from);
    this.#fill("to", to);
  }

  // colours: Uint8Array [4 × segments], alpha last.
  paint(colours) {
    this.colours = colours;
    this.#fill("colour", colours);
  }

  draw(camera, t, radius, ratio, thin = 1) {
    const gl = this.gl;
    if (this.lost || !this.from || !this.colours) return;
    gl.viewport(0, 0, this.canvas.width, this.canvas.height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    gl[camera.solid ? "enable" : "disable"](gl.DEPTH_TEST);
    gl.uniform1f(this.at.solid, camera.square);
    gl.uniformMatrix3fv(this.at.turn, false, camera.turn);
    gl.uniform1f(this.at.t, t);
    gl.uniform1f(this.at.size, 2 * radius * ratio);
    gl.uniform2f(this.at.scale, camera.scaleX, camera.scaleY);
    gl.uniform2f(this.at.origin, camera.originX, camera.originY);
    gl.uniform2f(this.at.view, camera.width, camera.height);
    for (const { read } of Object.values(this.buffers)) read(thin);
    gl.drawArrays(gl.POINTS, 0, Math.ceil(this.from.length / 3 / thin));
  }
}

class FlatDots {
  constructor(canvas) {
    this.kind = "2d";
    this.soft = true;
    this.canvas = canvas;
    this.pen = canvas.getContext("2d");
  }

  destroy() {}
  place(from, to) { Object.assign(this, { from, to }); }
  paint(colours) { this.colours = colours; }

  draw(camera, t, radius, ratio, thin = 1) {
    const { pen, from, to, colours } = this;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, camera.width, camera.height);
    if (!from || !colours) return;
    const mix = (k) => from[k] + (to[k] - from[k]) * t;
    for (let i = 0; i < from.length / 3; i += thin) {
      const [x, y] = camera.screen(...camera.seen(mix(3 * i), mix(3 * i + 1), mix(3 * i + 2)));
      if (x < -radius || y < -radius || x > camera.width + radius || y > camera.height + radius) continue;
      const c = colours.subarray(4 * i, 4 * i + 4);
      pen.fillStyle = `rgb(${c[0]} ${c[1]} ${c[2]} / ${c[3] / 255})`;
      pen.beginPath();
      pen.arc(x, y, radius, 0, 2 * Math.PI);
      pen.fill();
    }
  }
}

function makeDots(canvas) {
  try {
    return new GlDots(canvas);
  } catch {
    // A canvas that has tried WebGL may refuse a 2-D context: take a fresh one.
    const fresh = canvas.cloneNode();
    canvas.replaceWith(fresh);
    return new FlatDots(fresh);
  }
}
