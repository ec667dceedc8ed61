// Words of the page in the reader's language: t("shell.healthy_of", { healthy: 1, count: 2 }).
//
// The first part of a key is its file, i18n/LANGUAGE/overview.json, the rest its key in there. A file is loaded once, by the
// router for each view, or by `loadTexts` where a view borrows from another. {name} in a text is replaced; numbers are written
// as the language writes them. English and Korean have the same keys (tests/console/test_i18n.py).

export const LANGUAGES = { en: "English", ko: "한국어" };

const texts = new Map();

export const language = () => document.documentElement.lang;

export function setLanguage(wanted) {
  localStorage.setItem("lb.language", wanted);
  document.documentElement.lang = wanted;
  texts.clear();
}

export async function loadTexts(...files) {
  const missing = files.filter((file) => !texts.has(file));
  await Promise.all(
    missing.map(async (file) => {
      const response = await fetch(`console/i18n/${language()}/${file}.json`);
      if (!response.ok) throw new Error(`i18n/${language()}/${file}.json: ${response.status}`);
      texts.set(file, await response.json());
    }),
  );
}

// A key that is missing is shown as it is: seen at once, and breaks nothing.
export function t(key, values = {}) {
  const [file] = key.split(".", 1);
  const text = texts.get(file)?.[key.slice(file.length + 1)] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? shown(values[name]) : whole));
}

export const number = (value, options) => new Intl.NumberFormat(language(), options).format(value);
export const clock = (instant) => instant.toLocaleTimeString("en-GB");

const shown = (value) => (typeof value === "number" ? number(value) : String(value ?? ""));
