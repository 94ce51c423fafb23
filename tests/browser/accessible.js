// What keeps somebody from reading, reaching or pressing something on this page: a list.
() => {
  const problems = [];
  const seen = (node) => node.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  const short = (node) => `${node.tagName}.${node.className} ${node.textContent.slice(0, 30)}`;
  const rgb = (text) => {
    const numbers = text.match(/[\d.]+/g).map(Number);
    return numbers.length > 3 ? numbers : [...numbers, 1];
  };
  const over = ([r, g, b, a], under) => [r, g, b].map((x, i) => x * a + under[i] * (1 - a));
  const luminance = (colour) => {
    const [r, g, b] = colour.map((x) => {
      const v = x / 255;
      return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const chain = (node) => (node ? [...chain(node.parentElement), node] : []);
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let texts = 0;
  for (let text = walker.nextNode(); text; text = walker.nextNode()) {
    const node = text.parentElement;
    if (!text.data.trim() || !seen(node) || node.closest(".unseen, noscript")) continue;
    texts += 1;
    let under = [255, 255, 255];
    let opacity = 1;
    for (const each of chain(node)) {
      under = over(rgb(getComputedStyle(each).backgroundColor), under);
      opacity *= Number(getComputedStyle(each).opacity);
    }
    const [r, g, b, a] = rgb(getComputedStyle(node).color);
    const ink = over([r, g, b, a * opacity], under);
    const [dark, light] = [luminance(ink), luminance(under)].sort((x, y) => x - y);
    const contrast = (light + 0.05) / (dark + 0.05);
    if (contrast < 4.5) problems.push(`contrast ${contrast.toFixed(2)}: ${short(node)}`);
  }
  if (texts < 2) problems.push("there is nothing to read");
  for (const node of document.querySelectorAll("button, input, textarea, a, summary")) {
    if (!seen(node)) continue;
    const label = node.labels?.[0];
    const says = node.getAttribute("aria-label") ?? label?.textContent
      ?? [...node.childNodes].map((each) => each.textContent).join("");
    if (!says.trim()) problems.push(`no name: ${short(node)}`);
    const box = (label?.contains(node) ? label : node).getBoundingClientRect();
    if (node.tagName !== "A" && (box.width < 44 || box.height < 44)) {
      problems.push(`${Math.round(box.width)} x ${Math.round(box.height)}: ${short(node)}`);
    }
    if (node.tabIndex < 0) problems.push(`out of Tab's way: ${short(node)}`);
  }
  const ids = [...document.querySelectorAll("[id]")].map((node) => node.id);
  if (new Set(ids).size < ids.length) problems.push("an id is used twice");
  for (const node of document.querySelectorAll("[aria-describedby]")) {
    if (!document.getElementById(node.getAttribute("aria-describedby"))) {
      problems.push("described by nothing");
    }
  }
  if (document.querySelectorAll("h1").length !== 1) problems.push("not one heading");
  if (document.activeElement !== document.querySelector("h1")) {
    problems.push("focus not on the heading");
  }
  if (document.querySelectorAll("main").length !== 1) problems.push("not one main part");
  if (!document.documentElement.lang || !document.title.trim()) {
    problems.push("no language or title");
  }
  const wide = document.documentElement.scrollWidth - innerWidth;
  if (wide > 0) problems.push(`${wide} px too wide`);
  return problems;
}
