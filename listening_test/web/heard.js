// Seconds of a clip that were heard: the union of the ranges that sounded.

const GAP = 0.03; // ranges this near are one; a pause and its continuation leave such a seam

export class Heard {
  constructor(ranges = []) { this.ranges = ranges.map(([from, to]) => [from, to]); }

  add(from, to) {
    if (!(to > from)) return;
    const sorted = [...this.ranges, [from, to]].sort((a, b) => a[0] - b[0]);
    this.ranges = [];
    for (const [start, end] of sorted) {
      const last = this.ranges.at(-1);
      if (last && start <= last[1] + GAP) last[1] = Math.max(last[1], end);
      else this.ranges.push([start, end]);
    }
  }

  with(range) {
    if (!range) return this;
    const both = new Heard(this.ranges);
    both.add(...range);
    return both;
  }

  get seconds() {
    return this.ranges.reduce((sum, [from, to]) => sum + to - from, 0);
  }
}
