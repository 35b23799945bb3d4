// A module as base64, for the runtimes that read the package from a disk: there compression does not matter, and time does.

/** The module that a text stands for, compiled. */
export function moduleOf(base64: string): object {
  const { Buffer } = globalThis as { Buffer?: { from(text: string, encoding: string): Uint8Array<ArrayBuffer> } };
  const bytes = Buffer?.from(base64, "base64") ?? Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  return new WebAssembly.Module(bytes);
}
