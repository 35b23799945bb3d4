// `redress/log`: writes events to pino or the console.

export * from "./watch/log.js";
