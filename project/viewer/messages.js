/* Every word this page says by itself, one table a language. What the library says comes in the library's own language maps. */

import { READS } from "./tongue.js";
import cy from "./words/cy.js";
import de from "./words/de.js";
import en from "./words/en.js";
import es from "./words/es.js";
import fr from "./words/fr.js";

export const MESSAGES = { en, de, fr, es, cy };

/** What each language calls itself. */
export const TONGUES = { en: "English", de: "Deutsch", fr: "Français", es: "Español", cy: "Cymraeg" };

/** The language of this page: the first of the visitor's that there is a table for. */
export function pageLanguage(languages = READS) {
  return languages.map((tag) => tag.toLowerCase().split("-")[0]).find((tag) => tag in MESSAGES) ?? "en";
}

export function translator(language = pageLanguage()) {
  return (key, values = {}) => (MESSAGES[language][key] ?? MESSAGES.en[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}
