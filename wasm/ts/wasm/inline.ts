// A module as text: a byte or two for each, so that a server's compression makes hardly more of it than of the module.
//
// 92 characters stand for digits: those from "#" to "~", with "!" in place of the backslash. The 90 bytes that modules
// are mostly made of are one digit each, the others two, of which the first is 90 or 91.

const DIGITS = 92;
const SINGLE = 90;

/** The module that a text stands for, compiled. */
export function moduleOf(text: string): object {
  const digit = (at: number) => {
    const code = text.charCodeAt(at) - 35;
    return code < 0 ? 57 : code;
  };
  // Longer than it is going to be: an array that grows takes half as long again.
  const bytes = new Uint8Array(text.length);
  let length = 0;
  for (let at = 0; at < text.length; at += 1) {
    let rank = digit(at);
    if (rank >= SINGLE) rank = SINGLE + (rank - SINGLE) * DIGITS + digit((at += 1));
    bytes[length++] = rank < 69 ? rank : rank < SINGLE ? rank + 27 : rank < 117 ? rank - 21 : rank;
  }
  return new WebAssembly.Module(bytes.subarray(0, length));
}
