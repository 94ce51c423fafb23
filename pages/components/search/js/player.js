// One player for the page: the waveform and the results sound one after the other, never at once.

function player() {
  const shared = (window.stemwiseSearch ??= { listeners: new Set() });
  shared.sound ??= new Sound((_, url) => url, () => shared.listeners.forEach((tell) => tell()));
  return shared;
}

// Plays, or stops what plays. `who` says which button it was.
function toggle(who, url, then = null) {
  const { sound } = player();
  sound.unlock();
  if (sounds(who, url)) sound.stop();
  else sound.play(who, url, then);
}

function sounds(who, url) {
  const { sound } = player();
  return sound.is(who, url) || (sound.wish?.segment === who && sound.wish?.part === url);
}

// A round button with a triangle or a square, and what it does for screen readers.
function playButton(button, on, words) {
  button.setAttribute("aria-pressed", String(on));
  button.setAttribute("aria-label", `${on ? "Stop" : "Play"} ${words}`);
  button.querySelector(".glyph")?.remove();
  button.prepend(icon(on ? "stop" : "play"));
}
