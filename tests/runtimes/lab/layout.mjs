// Where a module of WebAssembly has what it does not share: its data, the top of its stack, and its functions in the table.

const GLOBALS = 6;
const ELEMENTS = 9;
const DATA = 11;
const I32_CONST = 0x41;

/** Reads numbers of a binary one after the other. */
class Reader {
  at;
  #bytes;

  constructor(bytes, at = 0) {
    this.#bytes = bytes;
    this.at = at;
  }

  byte() {
    return this.#bytes[this.at++];
  }

  /** A number in LEB128; negative ones do not occur here. */
  number() {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  }

  /** A constant expression; undefined unless it is a number of 32 bits. */
  constant() {
    const value = this.byte() === I32_CONST ? this.number() : undefined;
    while (this.byte() !== 0x0b);
    return value;
  }
}

/** `{ data, stack, functions }`: ranges as `[from, to]`, and where the stack begins. */
export function partsOf(bytes) {
  const parts = { data: [], stack: 0, functions: [] };
  const reader = new Reader(bytes, 8);
  while (reader.at < bytes.length) {
    const section = reader.byte();
    const length = reader.number();
    const end = reader.at + length;
    const count = [GLOBALS, ELEMENTS, DATA].includes(section) ? reader.number() : 0;
    for (let n = 0; n < count; n += 1) {
      if (section === GLOBALS) {
        const isMutable = (reader.byte(), reader.byte() === 1);
        const value = reader.constant();
        // The pointer of the stack is the only one that changes.
        if (isMutable) parts.stack = value;
      } else {
        if (reader.number() !== 0) throw new Error("a segment of another form");
        const from = reader.constant();
        const size = reader.number();
        (section === DATA ? parts.data : parts.functions).push([from, from + size]);
        if (section === DATA) reader.at += size;
        else for (let k = 0; k < size; k += 1) reader.number();
      }
    }
    reader.at = end;
  }
  return parts;
}
