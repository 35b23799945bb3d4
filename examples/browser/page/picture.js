// The picture of the attempts: a row for each piece, a bar for each attempt, over time.

const ROW = 14;
const LEFT = 60;
const SVG = "http://www.w3.org/2000/svg";

/** Draws into `svg` what `tell` is told; `stop` ends the drawing. */
export function picture(svg) {
  const started = performance.now();
  const bars = [];
  const running = new Map();
  const labels = new Set();
  let frame = requestAnimationFrame(draw);

  function bar(piece, className, from, to = null) {
    const element = document.createElementNS(SVG, "rect");
    element.setAttribute("class", className);
    element.setAttribute("y", piece * ROW + 3);
    element.setAttribute("height", className === "waiting" ? 2 : ROW - 4);
    if (className === "waiting") element.setAttribute("y", piece * ROW + ROW / 2 - 1);
    svg.append(element);
    const drawn = { element, from, to };
    bars.push(drawn);
    return drawn;
  }

  function label(piece) {
    if (labels.has(piece)) return;
    labels.add(piece);
    const text = document.createElementNS(SVG, "text");
    text.textContent = `piece ${piece + 1}`;
    text.setAttribute("x", 4);
    text.setAttribute("y", piece * ROW + ROW - 3);
    svg.append(text);
  }

  function draw() {
    const now = performance.now() - started;
    const width = svg.clientWidth || 800;
    const height = Math.max(4, labels.size) * ROW + 4;
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.style.height = `${height}px`;
    const end = Math.max(1_000, now, ...bars.map(({ to }) => to ?? 0));
    const x = (ms) => LEFT + ((width - LEFT - 8) * ms) / end;
    for (const { element, from, to } of bars) {
      element.setAttribute("x", x(from));
      element.setAttribute("width", Math.max(2, x(to ?? now) - x(from)));
    }
    frame = requestAnimationFrame(draw);
  }

  return {
    tell({ piece, kind, result, waitMs }) {
      const now = performance.now() - started;
      label(piece);
      if (kind === "start") running.set(piece, bar(piece, "running", now));
      if (kind === "wait") bar(piece, "waiting", now, now + waitMs);
      if (kind === "end") {
        const ended = running.get(piece);
        ended.to = now;
        ended.element.setAttribute("class", result);
        running.delete(piece);
      }
    },
    stop() {
      cancelAnimationFrame(frame);
      draw();
      cancelAnimationFrame(frame);
    },
  };
}
