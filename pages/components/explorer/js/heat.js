// Where the dots are dense: counted on a grid once a map, blurred, drawn in steps under the dots.

const GRID = 256; // cells a side
const REACH_OF_HEAT = 1.12; // of the map, so that the blur has room
const STEPS = 6;

// places: x, y, z for each dot; rgb: the colour. Returns a canvas.
function makeHeat(places, rgb) {
  let cells = new Float32Array(GRID * GRID);
  const cell = (v) => Math.min(Math.max(Math.floor(((v / REACH_OF_HEAT + 1) / 2) * GRID), 0), GRID - 1);
  for (let k = 0; k < places.length; k += 3) cells[cell(places[k]) + GRID * cell(-places[k + 1])]++;
  for (let round = 0; round < 3; round++) { // three running means are nearly a Gaussian
    cells = blurred(blurred(cells, 1, GRID), GRID, 1);
  }
  const most = cells.reduce((a, b) => Math.max(a, b), 0) || 1;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = GRID;
  const pen = canvas.getContext("2d");
  const image = pen.createImageData(GRID, GRID);
  for (let c = 0; c < cells.length; c++) {
    const step = Math.ceil(Math.sqrt(cells[c] / most) * STEPS - 0.3);
    image.data.set([...rgb, Math.max(step, 0) * 20], 4 * c);
  }
  pen.putImageData(image, 0, 0);
  return canvas;
}

// The mean of nine cells along rows (step 1) or columns (step GRID).
function blurred(cells, step, next) {
  const out = new Float32Array(cells.length);
  for (let row = 0; row < GRID; row++) {
    let sum = 0;
    for (let k = -4; k < GRID; k++) {
      if (k + 4 < GRID) sum += cells[row * next + (k + 4) * step];
      if (k - 5 >= 0) sum -= cells[row * next + (k - 5) * step];
      if (k >= 0) out[row * next + k * step] = sum / 9;
    }
  }
  return out;
}

function paintHeat(pen, canvas, camera) {
  const { originX, originY, scaleX, scaleY } = camera;
  const [wide, tall] = [REACH_OF_HEAT * scaleX, REACH_OF_HEAT * scaleY];
  pen.drawImage(canvas, originX - wide, originY - tall, 2 * wide, 2 * tall);
}
