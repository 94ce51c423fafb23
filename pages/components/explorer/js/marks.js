// Everything drawn over the dots: the piece's path, the neighbours with their ranks, the rings.

// scene: { at(segment) → pixels, theme, radius of a dot, cursor, selected, neighbours, playing, path
// of a piece, lasso (corners), names ([{ at, label }]), away (the pointer is elsewhere) }.
function paintMarks(pen, scene) {
  const { at, names, theme, cursor, selected, neighbours, playing, path, radius, away, lasso } = scene;
  pen.lineCap = pen.lineJoin = "round";
  write(pen, names, theme);

  if (path.length > 1) {
    pen.beginPath();
    path.forEach((s, k) => pen[k ? "lineTo" : "moveTo"](...at(s)));
    pen.globalAlpha = 0.28;
    stroke(pen, theme.text, 1.25);
    pen.globalAlpha = 1;
  }

  if (selected >= 0) {
    const [x, y] = at(selected);
    for (const { segment, rank, pointed } of neighbours) {
      pen.beginPath();
      pen.moveTo(x, y);
      pen.lineTo(...at(segment));
      pen.globalAlpha = pointed ? 1 : Math.max(0.9 - 0.07 * rank, 0.2);
      stroke(pen, theme.accent, 1.5);
      pen.globalAlpha = 1;
    }
    // The farthest first, so that the nearest lies on top.
    [...neighbours].reverse().forEach(({ segment, rank, pointed }) => {
      badge(pen, at(segment), String(rank), theme, pointed ? 12 : 9);
    });
    star(pen, x, y, theme, Math.max(radius + 5, 9));
  }

  if (playing) {
    const [x, y] = at(playing.segment);
    const swell = Math.min(playing.level * 60, 14);
    ring(pen, x, y, radius + 7 + swell, theme.accent, 2, 0.35);
    pen.beginPath();
    pen.arc(x, y, radius + 6, -Math.PI / 2, -Math.PI / 2 + 2 * Math.PI * playing.progress);
    stroke(pen, theme.text, 3);
  }
  if (lasso) noose(pen, lasso, theme);
  if (cursor >= 0) {
    const [x, y] = at(cursor);
    ring(pen, x, y, radius + 3, theme.text, 2, 1);
    if (away) ring(pen, x, y, radius + 11, theme.text, 2, 0.5); // no pointer shows where to look
  }
}

// Names of clusters, the largest first; one that would lie on another is left out.
function write(pen, names, theme) {
  const taken = [];
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.font = `600 14px ${theme.font}`;
  for (const { at: [x, y], label } of names) {
    const half = pen.measureText(label).width / 2 + 4;
    if (taken.some(([cx, cy, other]) => Math.abs(x - cx) < half + other && Math.abs(y - cy) < 18)) continue;
    taken.push([x, y, half]);
    pen.globalAlpha = 0.95;
    pen.strokeStyle = theme.ground;
    pen.lineWidth = 4;
    pen.strokeText(label, x, y);
    pen.fillStyle = theme.text;
    pen.fillText(label, x, y);
  }
  pen.globalAlpha = 1;
}

// What is being encircled.
function noose(pen, corners, theme) {
  pen.beginPath();
  corners.forEach((corner, k) => pen[k ? "lineTo" : "moveTo"](...corner));
  pen.closePath();
  pen.fillStyle = theme.text;
  pen.globalAlpha = 0.08;
  pen.fill("evenodd");
  pen.globalAlpha = 0.9;
  pen.setLineDash([6, 5]);
  stroke(pen, theme.text, 1.5);
  pen.setLineDash([]);
  pen.globalAlpha = 1;
}

function stroke(pen, colour, width) {
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.stroke();
}

function ring(pen, x, y, radius, colour, width, alpha) {
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
  pen.globalAlpha = alpha;
  stroke(pen, colour, width);
  pen.globalAlpha = 1;
}

// The selected dot: a disc with a hole, larger than any other.
function star(pen, x, y, theme, radius) {
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
  pen.fillStyle = theme.accent;
  pen.fill();
  stroke(pen, theme.ground, 2);
  pen.beginPath();
  pen.arc(x, y, radius * 0.38, 0, 2 * Math.PI);
  pen.fillStyle = theme.onAccent;
  pen.fill();
}

function badge(pen, [x, y], text, theme, radius) {
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
  pen.fillStyle = theme.ground;
  pen.fill();
  stroke(pen, theme.accent, 2);
  pen.fillStyle = theme.text;
  pen.font = `600 ${Math.round(radius * 1.25)}px ${theme.font}`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillText(text, x, y + 0.5);
}

// The shape of a clip, with what has been heard in full colour.
function paintWave(canvas, buffer, progress, colour, ratio) {
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
  if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  const bars = Math.max(Math.floor(width / 4), 1);
  const peaks = buffer ? peaksOf(buffer, bars) : null;
  pen.fillStyle = colour;
  for (let k = 0; k < bars; k++) {
    const tall = Math.max(peaks ? peaks[k] * height : 0, 2);
    pen.globalAlpha = peaks && k / bars < progress ? 1 : 0.3;
    pen.fillRect(k * 4, (height - tall) / 2, 2.5, tall);
  }
  pen.globalAlpha = 1;
}

const peakCache = new WeakMap();

function peaksOf(buffer, bars) {
  const cached = peakCache.get(buffer);
  if (cached?.length === bars) return cached;
  const sound = buffer.getChannelData(0);
  const size = sound.length / bars;
  const peaks = new Float32Array(bars);
  for (let k = 0; k < bars; k++) {
    for (let i = Math.floor(k * size); i < Math.floor((k + 1) * size); i += 3) {
      peaks[k] = Math.max(peaks[k], Math.abs(sound[i]));
    }
  }
  const most = Math.max(...peaks, 0.05); // a silent clip stays flat
  peakCache.set(buffer, peaks.map((p) => p / most));
  return peakCache.get(buffer);
}
