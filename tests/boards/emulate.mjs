// Runs the image for a Raspberry Pi Pico in an emulator of its chip, beside a model of an LM75 on
// the two wires: absent, there, and one that holds SDA in the middle of a byte.

import { readFileSync } from "node:fs";
import { ConsoleLogger, LogLevel, RPI2C, Simulator } from "rp2040js";

const FLASH = 0x1000_0000;
/** Behind the second boot stage, which the emulator leaves out as it leaves out the boot ROM. */
const VECTORS = FLASH + 0x100;
const [SDA, SCL] = [4, 5];
const ADDRESS = 0x48;

/** Copies what an ELF file loads into the flash. */
function load(chip, file) {
  const image = readFileSync(file);
  const headers = image.readUInt32LE(28);
  for (let i = 0; i < image.readUInt16LE(44); i++) {
    const at = headers + i * image.readUInt16LE(42);
    const [type, offset, , address, length] = [0, 4, 8, 12, 16].map((o) => image.readUInt32LE(at + o));
    if (type === 1 && length > 0) {
      chip.flash.set(image.subarray(offset, offset + length), address - FLASH);
    }
  }
  const vectors = new DataView(chip.flash.buffer);
  chip.core.VTOR = VECTORS;
  chip.core.SP = vectors.getUint32(VECTORS - FLASH, true);
  chip.core.PC = vectors.getUint32(VECTORS - FLASH + 4, true) & ~1;
}

/** What the emulator does not do: a reset of the I2C controller, and noise of the ring oscillator. */
function complete(chip) {
  const resets = chip.peripherals[0x4000c];
  const write = resets.writeUint32.bind(resets);
  const controller = chip.i2c[0];
  resets.writeUint32 = (offset, value) => {
    if (offset === 0 && value & (1 << 3)) {
      const fresh = new RPI2C(chip, "I2C0", controller.irq);
      for (const [name, field] of Object.entries(fresh)) {
        if (!name.startsWith("on")) controller[name] = field;
      }
    }
    write(offset, value);
  };
  let noise = 0x9e3779b9;
  chip.peripherals[0x40060].readUint32 = () => {
    noise ^= noise << 13;
    noise ^= noise >>> 17;
    noise ^= noise << 5;
    return noise >>> 0;
  };
}

/** The sensor, as the controller and the pins see it. */
class Lm75 {
  isThere = false;
  holds = 0;
  reading = [0x15, 0x80];
  #next = 0;
  #pins;

  constructor(chip) {
    const bus = chip.i2c[0];
    this.#pins = [chip.gpio[SDA], chip.gpio[SCL]];
    // A controller that finds SDA low waits for a free bus.
    bus.onStart = () => this.holds > 0 || bus.completeStart();
    bus.onConnect = (address) => bus.completeConnect(this.isThere && address === ADDRESS);
    bus.onWriteByte = () => {
      this.#next = 0;
      bus.completeWrite(true);
    };
    bus.onReadByte = () => bus.completeRead(this.reading[this.#next++] ?? 0xff);
    for (const pin of this.#pins) pin.addListener(() => this.#onChange());
    this.#onChange();
  }

  /** It is cut off in a byte, has a zero to send, and lets SDA go after so many clocks. */
  hold(clocks) {
    this.holds = clocks;
    this.#onChange();
  }

  /** The lines are high unless a device drives them low; each rise of SCL is a clock. */
  #onChange() {
    const [sda, scl] = this.#pins;
    const isHigh = (pin) => !(pin.outputEnable && !pin.outputValue);
    if (isHigh(scl) && !scl.rawInputValue && this.holds > 0) this.holds--;
    scl.setInputValue(isHigh(scl));
    sda.setInputValue(isHigh(sda) && this.holds === 0);
  }
}

let failed = 0;
let passed = 0;
function check(name, holds, seen) {
  console.log(`${holds ? "ok" : "FAILED"} ${name}: ${seen}`);
  holds ? passed++ : failed++;
}

const simulator = new Simulator();
const { rp2040: chip, clock } = simulator;
chip.logger = new ConsoleLogger(LogLevel.Error);
load(chip, process.argv[2]);
complete(chip);
const sensor = new Lm75(chip);

const lines = [];
let text = "";
chip.uart[0].onByte = (byte) => {
  text += String.fromCharCode(byte);
  if (!text.endsWith("\r\n")) return;
  lines.push({ at: clock.nanos / 1e6, text: text.trim() });
  text = "";
};

/** The next lines, up to one that contains `last`; within so many seconds of the chip's time. */
function until(last, secs) {
  const end = clock.nanos + secs * 1e9;
  lines.length = 0;
  while (clock.nanos < end && !lines.at(-1)?.text.includes(last)) {
    if (chip.core.waiting) clock.tick(Math.max(clock.nanosToNextAlarm, 8));
    else clock.tick(chip.core.executeInstruction() * 8);
  }
  return lines.map((line) => line.text);
}

const silent = "TRANSIENT (no device acknowledges the address)";
const failing = until("stop:", 5);
const retried = [1, 2, 3].every((n) => failing[n - 1]?.startsWith(`LM75 #${n} ${silent} retry in `));
check("a sensor that is not there is retried", retried, failing[0]);
const stopped = failing[3] === `LM75 #4 ${silent} stop: MAX_ATTEMPTS_GLOBAL`;
check("and then the call stops", stopped && failing.length === 4, failing[3]);

const opened = until("circuit_opened", 30);
check("three readings that fail open the breaker", opened.length === 9, opened.at(-1));
const rejected = until("stop: CIRCUIT_OPEN", 15);
const at = lines.at(-1)?.at / 1000;
check("the next one makes no attempt", rejected.length <= 2 && at > 25, `${rejected} at ${at} s`);

sensor.isThere = true;
const closed = until(" C", 60);
const probed = closed.includes("LM75 circuit_half_open") && closed.includes("LM75 circuit_closed");
check("a sensor that is back is found by a probe", probed, closed.join(", "));
check("and its reading is right", closed.at(-1) === "21.50 C", closed.at(-1));
sensor.reading = [0xff, 0x80];
const cold = until(" C", 15);
check("one below zero, too, at the first attempt", cold.join() === "-0.50 C", cold);

until(" C", 15);
const due = lines[0].at + 10_000;
sensor.hold(5);
const freed = until(" C", 15);
const hung = freed[0]?.startsWith("LM75 #1 TRANSIENT (no answer in time) retry in ");
check("a sensor that holds SDA does not hold the node", hung, freed[0]);
const cut = lines[0].at - due;
check("its attempt is cut after 50 ms", Math.abs(cut - 50) < 5, `${cut.toFixed(1)} ms`);
const recovered = sensor.holds === 0 && freed.length === 2 && freed[1] === "-0.50 C";
check("the bus is freed by clocks, and the second attempt reads", recovered, freed.join(", "));
sensor.hold(Number.POSITIVE_INFINITY);
const stuck = until("stop:", 15);
const aborted = stuck.at(-1) === "LM75 #1 stop: ABORTED";
check("a bus that no clock frees ends the call", aborted, stuck.at(-1));

console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
