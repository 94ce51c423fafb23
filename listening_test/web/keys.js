// Which key was meant, whatever the keyboard's layout or input method.

// "a", "1", "?", " ", "Enter", "ArrowLeft" …
export function keyOf(event) {
  const { key, code } = event;
  if (/^[\x20-\x7e]$/.test(key)) return key.toLowerCase();
  if (key.length > 1 && key !== "Process" && key !== "Unidentified") return key;
  return /^(Key|Digit)(.)$/.exec(code)?.[2].toLowerCase() ?? key; // kana, Cyrillic, an input method
}

// Whether the element under the key takes it for itself.
function taken(target, name) {
  const kind = target.type ?? "";
  if (target.tagName === "TEXTAREA" || target.isContentEditable) return true;
  if (target.tagName === "INPUT" && !["radio", "checkbox", "range"].includes(kind)) {
    return name !== "Enter";
  }
  if (kind === "range") return name.startsWith("Arrow") || name === "Home";
  if (name === " ") return ["BUTTON", "INPUT", "SUMMARY", "A"].includes(target.tagName);
  if (name === "Enter") return ["BUTTON", "SUMMARY", "A"].includes(target.tagName);
  return false;
}

// Listen to keys: actions() → { key: function }; a key that is held down acts once.
export function listen(actions) {
  addEventListener("keydown", (event) => {
    document.documentElement.classList.add("has-keys");
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const name = keyOf(event);
    const act = actions()[name];
    if (!act || taken(event.target, name)) {
      // A key held down must not press the next screen's button either.
      if (event.repeat && (name === "Enter" || name === " ") && event.target.tagName === "BUTTON") {
        event.preventDefault();
      }
      return;
    }
    event.preventDefault();
    if (!event.repeat) act();
  });
}
