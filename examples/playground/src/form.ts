// The form: fields by their groups, kept in step with what they are about.

import type { Finding } from "redress/lint";
import type { Field, Group } from "./fields.js";

/** What is said beside a field. */
export type Note = Pick<Finding, "severity" | "message"> & { readonly field: string };

/** Fields of something, in a place of the page. */
export class Form<T> {
  readonly #place: HTMLElement;
  readonly #groups: (of: T) => Group<T>[];
  readonly #changed: (to: T) => void;
  #value: T;
  #fields = new Map<string, Field<T>>();

  constructor(place: HTMLElement, value: T, groups: (of: T) => Group<T>[], changed: (to: T) => void) {
    this.#place = place;
    this.#groups = groups;
    this.#changed = changed;
    this.#value = value;
    place.addEventListener("input", ({ target }) => {
      const { name, value: text } = target as HTMLInputElement;
      const field = this.#fields.get(name);
      if (field === undefined) return;
      this.show(field.set(this.#value, text));
      this.#changed(this.#value);
    });
    this.show(value);
  }

  /** Shows other values. What is being typed stays as it is; the fields are made anew only if there are others now. */
  show(value: T): void {
    this.#value = value;
    const groups = this.#groups(value);
    const fields = groups.flatMap((group) => group.fields);
    const isSame = fields.length === this.#fields.size && fields.every(({ path }) => this.#fields.has(path));
    this.#fields = new Map(fields.map((field) => [field.path, field]));
    if (!isSame) this.#build(groups);
    for (const field of fields) {
      const input = this.#input(field.path)!;
      if (input === document.activeElement && input.tagName === "INPUT") continue;
      const text = field.get(value);
      // What is no choice is chosen nowhere.
      if (input.value !== text) input.value = text;
    }
  }

  /** Shows notes beside their fields, each at the field that has its path or the beginning of it. */
  annotate(notes: readonly Note[]): void {
    const byField = new Map<string, Note[]>();
    for (const note of notes) {
      const keys = note.field.split(".");
      const path = keys
        .map((_, nth) => keys.slice(0, keys.length - nth).join("."))
        .find((one) => this.#fields.has(one));
      if (path !== undefined) byField.set(path, [...(byField.get(path) ?? []), note]);
    }
    for (const path of this.#fields.keys()) {
      const own = byField.get(path) ?? [];
      const place = document.getElementById(`note:${path}`)!;
      const text = own.map(({ severity, message }) => `${severity}: ${message}`).join("\n");
      if (place.textContent !== text) place.textContent = text;
      place.dataset["severity"] = own[0]?.severity ?? "";
      this.#input(path)!.setAttribute("aria-invalid", String(own.some(({ severity }) => severity === "error")));
    }
  }

  #input(path: string): HTMLInputElement | HTMLSelectElement | null {
    return document.getElementById(`field:${path}`) as HTMLInputElement | null;
  }

  #build(groups: readonly Group<T>[]): void {
    const focused = document.activeElement?.id ?? "";
    this.#place.replaceChildren(
      ...groups.map(({ title, fields }) => {
        const set = document.createElement("fieldset");
        const legend = document.createElement("legend");
        legend.textContent = title;
        set.append(legend, ...fields.map(row));
        return set;
      }),
    );
    if (focused !== "") document.getElementById(focused)?.focus();
  }
}

function row<T>({ path, label, choices, fallback = "" }: Field<T>): HTMLElement {
  const place = document.createElement("div");
  place.className = "field";
  const title = document.createElement("label");
  title.htmlFor = `field:${path}`;
  title.textContent = label;
  const input = document.createElement(choices === undefined ? "input" : "select");
  if (input instanceof HTMLInputElement) {
    Object.assign(input, { placeholder: fallback, autocomplete: "off", spellcheck: false, inputMode: "text" });
  } else input.append(...choices!.map((choice) => new Option(choice)));
  Object.assign(input, { id: `field:${path}`, name: path });
  input.setAttribute("aria-describedby", `note:${path}`);
  const note = document.createElement("p");
  Object.assign(note, { id: `note:${path}`, className: "note" });
  place.append(title, input, note);
  return place;
}
