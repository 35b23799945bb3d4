// undici behind a policy: an interceptor for `dispatcher.compose`.

import type { Dispatcher } from "undici";
import { onAbort } from "../call/signals.js";
import { read } from "../classify/facts.js";
import { http } from "../classify/http.js";
import type { Attempt, CallOptions, Signal } from "../types.js";
import { Caller, type ClientOptions, type ClientPolicy, type Plan, sentByHttp } from "./caller.js";
import { refusePeer } from "./peer.js";

declare module "undici" {
  namespace Dispatcher {
    interface DispatchOptions {
      /** Options of this call alone, for a dispatcher with `redress/undici`; a deadline in place of a longer one of the policy. */
      redress?: CallOptions | undefined;
    }
  }
}

type Options = Dispatcher.DispatchOptions;
type Handler = Dispatcher.DispatchHandler;
type Controller = Dispatcher.DispatchController;
type Dispatch = Dispatcher["dispatch"];

/**
 * An interceptor that sends requests through a policy: `new Agent().compose(interceptor(policy))`.
 *
 * A response of status 400 and up is a failure of its class, with its Retry-After, unless the policy has a
 * `resultClassifier` of its own. An attempt ends with the headers, after which a body streams for as long as it does; the last
 * response is handed on, whatever its status. The operation in events is method and host. A request with `upgrade`, and
 * CONNECT, do not go through the policy. Options of one call are `redress` of its own: `request(url, { redress: { deadlineMs } })`.
 */
export function interceptor(
  policy: ClientPolicy,
  options: ClientOptions = {},
): Dispatcher.DispatcherComposeInterceptor {
  const caller = new Caller("undici", policy, options);
  return (dispatch) => (given: Options, handler: Handler) => {
    if (typeof handler?.onResponseError !== "function" && typeof handler?.onRequestStart !== "function")
      refusePeer("undici.handler", handler, "a handler", "undici", "7 and up");
    if (handler.constructor?.name === "RetryHandler")
      throw new TypeError("redress/undici: undici's own retry repeats these requests, too: leave it out");
    const { redress: own, ...opts } = given;
    if (opts.upgrade || opts.method === "CONNECT") return dispatch(opts, handler);
    const names = namesOf(opts.headers);
    const sent = sentByHttp(opts.method, hostOf(opts.origin), opts.body, (name) => names.includes(name));
    const stop = new AbortController();
    const plan = caller.plan({ ...sent, own, signal: stop.signal as Signal });
    new Exchange(dispatch, opts, handler, stop).run(plan);
    return true;
  };
}

const hostOf = (origin: unknown): string => (origin === undefined ? "" : new URL(String(origin)).host);

/** The names of headers, in lower case: undici takes a list of names and values, pairs, or an object. */
function namesOf(headers: Options["headers"]): string[] {
  if (Array.isArray(headers)) return headers.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase());
  return pairsOf(headers).map(([name]) => name.toLowerCase());
}

function pairsOf(headers: Options["headers"]): [string, any][] {
  if (headers === null || headers === undefined) return [];
  return Symbol.iterator in headers ? [...(headers as Iterable<[string, any]>)] : Object.entries(headers);
}

function withHeaders(headers: Options["headers"], more: Record<string, string>): NonNullable<Options["headers"]> {
  if (Array.isArray(headers)) return [...headers, ...Object.entries(more).flat()];
  return { ...Object.fromEntries(pairsOf(headers)), ...more };
}

/** A response whose headers are there: undici's, as `classify.http` knows it. */
interface Answer {
  readonly statusCode: number;
  readonly headers: unknown;
  readonly body: Trial;
}

/** A call: the attempts on one side, the handler of the caller on the other. */
class Exchange {
  readonly #dispatch: Dispatch;
  readonly #opts: Dispatcher.DispatchOptions;
  readonly handler: Handler;
  /** The attempt whose response the handler gets. */
  trial: Trial | undefined;
  /** What the handler has in the hand, whichever attempt it is about. */
  readonly controller: Controller;

  constructor(dispatch: Dispatch, opts: Dispatcher.DispatchOptions, handler: Handler, stop: AbortController) {
    this.#dispatch = dispatch;
    this.#opts = opts;
    this.handler = handler;
    const current = () => this.trial?.controller;
    this.controller = {
      get aborted() {
        return stop.signal.aborted;
      },
      get reason() {
        return (stop.signal.aborted ? stop.signal.reason : null) as Error | null;
      },
      get paused() {
        return current()?.paused ?? false;
      },
      get rawHeaders() {
        return current()?.rawHeaders ?? null;
      },
      get rawTrailers() {
        return current()?.rawTrailers ?? null;
      },
      pause: () => current()?.pause(),
      resume: () => current()?.resume(),
      abort: (reason: Error) => {
        stop.abort(reason);
        current()?.abort(reason);
      },
    } as Controller;
  }

  async run(plan: Plan): Promise<void> {
    const { handler, controller } = this;
    try {
      handler.onRequestStart?.(controller, {});
      const outcome = await plan.execute((attempt) => this.#attempt(attempt, plan));
      const last = outcome.ok ? outcome.value : (read(outcome, "lastResult") as Answer | undefined);
      // Whoever aborts does not want an answer that came before.
      if (last !== undefined && (outcome.ok || outcome.stopReason !== "ABORTED")) last.body.handOn();
      else if (!outcome.ok) {
        this.trial?.drop();
        handler.onResponseError?.(controller, outcome.error as Error);
      }
    } catch (error) {
      this.trial?.drop();
      handler.onResponseError?.(controller, error as Error);
    }
  }

  async #attempt(attempt: Attempt, plan: Plan): Promise<Answer> {
    this.trial?.drop();
    const trial = new Trial(this, attempt.signal);
    this.trial = trial;
    const headers = withHeaders(this.#opts.headers, plan.headers(attempt));
    try {
      return await new Promise<Answer>((resolve, reject) => {
        trial.settle = { resolve, reject };
        this.#dispatch({ ...this.#opts, headers }, trial);
      });
    } catch (error) {
      throw plan.marked(error, http);
    } finally {
      trial.unlisten();
    }
  }
}

/** One attempt. Its response is held back until the policy has decided what becomes of it. */
class Trial implements Handler {
  readonly #exchange: Exchange;
  readonly #signal: Signal;
  #state: "waiting" | "held" | "handed" | "dropped" = "waiting";
  /** What came while it was held. */
  #held: (() => void)[] = [];
  #isOver = false;
  controller: Controller | undefined;
  settle!: { resolve(answer: Answer): void; reject(error: unknown): void };
  unlisten: () => void = () => {};

  constructor(exchange: Exchange, signal: Signal) {
    this.#exchange = exchange;
    this.#signal = signal;
  }

  onRequestStart(controller: Controller): void {
    this.controller = controller;
    const abort = () => controller.abort(this.#signal.reason as Error);
    if (this.#signal.aborted) abort();
    else this.unlisten = onAbort(this.#signal, abort);
  }

  onResponseStart(controller: Controller, statusCode: number, headers: any, statusMessage?: string): void {
    // 103 and its like: the answer is still to come.
    if (statusCode < 200 || this.#state !== "waiting") return;
    this.#state = "held";
    controller.pause();
    const { handler, controller: own } = this.#exchange;
    this.#held.push(() => handler.onResponseStart?.(own, statusCode, headers, statusMessage));
    this.settle.resolve({ statusCode, headers, body: this });
  }

  onResponseData(_: Controller, chunk: Buffer): void {
    const { handler, controller } = this.#exchange;
    this.#later(() => handler.onResponseData?.(controller, chunk));
  }

  onResponseEnd(_: Controller, trailers: any): void {
    const { handler, controller } = this.#exchange;
    this.#isOver = true;
    this.#later(() => handler.onResponseEnd?.(controller, trailers));
  }

  onResponseError(_: Controller, error: Error): void {
    const { handler, controller } = this.#exchange;
    this.#isOver = true;
    if (this.#state === "waiting") this.settle.reject(error);
    else this.#later(() => handler.onResponseError?.(controller, error));
  }

  onBodySent(chunk: Buffer): void {
    this.#exchange.handler.onBodySent?.(chunk);
  }

  onRequestSent(): void {
    this.#exchange.handler.onRequestSent?.();
  }

  #later(event: () => void): void {
    if (this.#state === "handed" && this.#held.length === 0) event();
    else if (this.#state !== "dropped") this.#held.push(event);
  }

  /** Hands the response on, and what comes of it. */
  handOn(): void {
    this.#state = "handed";
    // Its start first: the handler may say there that it wants to wait.
    this.#held.shift()?.();
    for (let event = this.#held.shift(); event !== undefined; event = this.#held.shift()) event();
    this.controller?.resume();
  }

  /** Nothing of it is wanted. */
  drop(): void {
    if (this.#state === "dropped") return;
    const wasHeld = this.#state === "held";
    this.#state = "dropped";
    this.#held = [];
    if (wasHeld && !this.#isOver) this.controller?.abort(new Error("redress: another attempt is made"));
  }
}
