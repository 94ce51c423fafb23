// Every word a listener reads, in the language of the study.
//
// A text may hold {placeholders} and *emphasis*; one that depends on a number is an object of the
// plural forms of Intl.PluralRules, chosen by {n}.

export const LANGUAGES = ["en", "ja"];

export class Texts {
  constructor(language, words) {
    Object.assign(this, { language, words });
    this.plurals = new Intl.PluralRules(language);
  }

  static async load(language) {
    const known = LANGUAGES.includes(language) ? language : LANGUAGES[0];
    const answer = await fetch(new URL(`texts/${known}.json`, import.meta.url));
    if (!answer.ok) throw new Error(`texts: ${answer.status}`);
    return new Texts(known, await answer.json());
  }

  has(key) { return key in this.words; }

  say(key, values = {}) {
    let text = this.words[key];
    if (typeof text === "object") text = text[this.plurals.select(values.n)] ?? text.other;
    return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
  }

  // The same as nodes; what stands between asterisks is emphasised.
  rich(key, values = {}) {
    return this.say(key, values).split("*").map((part, i) => {
      if (i % 2 === 0) return document.createTextNode(part);
      const strong = document.createElement("strong");
      strong.textContent = part;
      return strong;
    });
  }
}
