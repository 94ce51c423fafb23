// The bar of one answer: what each instrument adds to the squared distance. What an instrument
// takes away, because it was to be different, stands to the left of the line, hatched.

function bar(shares, instruments, full) {
  const made = element("div", "bar");
  const size = (share) => `${(100 * Math.abs(share)) / full}%`;
  const side = (name, sign) => {
    const half = element("div", name);
    shares.forEach((share, i) => {
      if (Math.sign(share) !== sign) return;
      const piece = element("i");
      piece.style.width = size(share);
      piece.style.background = instruments[i].colour;
      half.append(piece);
    });
    return half;
  };
  if (instruments.some(({ weight }) => weight < 0)) {
    made.append(side("taken", -1));
    made.classList.add("signed");
  }
  made.append(side("added", 1));
  made.setAttribute("role", "img");
  made.setAttribute("aria-label", inWords(shares, instruments));
  made.title = made.getAttribute("aria-label");
  return made;
}

function inWords(shares, instruments) {
  const total = shares.reduce((sum, share) => sum + Math.abs(share), 0) || 1;
  const said = instruments
    .map(({ name, weight }, i) => [name, weight, shares[i] / total])
    .filter(([, weight]) => weight !== 0)
    .map(([name, weight, part]) =>
      `${name} ${Math.round(100 * Math.abs(part))} %${weight < 0 ? " (wanted different)" : ""}`);
  return `Of the distance: ${said.join(", ")}`;
}
