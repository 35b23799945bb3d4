// @grpc/grpc-js behind a policy: an interceptor of unary calls.

import type { InterceptingCall, Interceptor, InterceptorOptions, Metadata, StatusObject } from "@grpc/grpc-js";
import { onAbort } from "../call/signals.js";
import { read } from "../classify/facts.js";
import { grpc } from "../classify/vendors.js";
import { optionValue } from "../config/checks.js";
import type { Attempt, Signal } from "../types.js";
import { Caller, type ClientOptions, type ClientPolicy, KEY, type Plan } from "./caller.js";
import { codeOf, messageOf, OK } from "./status.js";

/** The options of a client of gRPC: those of every call, and what is special about methods. */
export interface GrpcOptions extends Omit<ClientOptions, "repeatAnyMethod" | "attemptHeader" | "deadlineHeader"> {
  /** Says which methods are sent once, by `package.Service/Method`; none by default: a status says whether a retry helps. */
  sendOnce?: ((method: string) => boolean) | undefined;
}

type NextCall = Parameters<Interceptor>[1];
type Inner = ReturnType<NextCall>;
type Listener = NonNullable<Parameters<Inner["start"]>[1]>;

/**
 * An interceptor that sends unary calls through a policy; calls that stream go on as they are, and a call is never waited
 * for. A failure is of the class of its status, with the server's pushback. The operation in events is
 * `package.Service/Method`, and the key of a policy by key the service.
 *
 * The deadline of the call's options ends the whole call; each attempt has what is left of it, or of the policy's, as its own, which the
 * server gets as `grpc-timeout`. A retry says in `grpc-previous-rpc-attempts` how many there were. The client's own
 * retries must be off: `clientOptions` says so to it.
 */
export function interceptor(policy: ClientPolicy, options: GrpcOptions = {}): Interceptor {
  const { sendOnce, ...more } = options;
  optionValue("grpc.sendOnce", sendOnce, "function");
  const caller = new Caller("grpc", policy, { ...more, repeatAnyMethod: false });
  return (given: InterceptorOptions, nextCall: NextCall) => {
    const { path, requestStream, responseStream } = given.method_definition;
    if (requestStream || responseStream) return nextCall(given) as InterceptingCall;
    const operation = path.replace(/^\//, "");
    const isIdempotent = sendOnce?.(operation) !== true;
    const call = new UnaryCall(given, nextCall, (signal, has) =>
      caller.plan({
        operation,
        host: operation.slice(0, operation.indexOf("/")),
        isIdempotent,
        takesKey: true,
        isReplayable: true,
        has,
        signal,
        leftMs: leftOf(given.deadline),
      }),
    );
    return call as object as InterceptingCall;
  };
}

/** The options of a client: the interceptor, and no retries of its own. `new Client(address, credentials, clientOptions(policy))` */
export function clientOptions(
  policy: ClientPolicy,
  options: GrpcOptions = {},
): {
  /** The interceptor. */
  interceptors: Interceptor[];
  /** No retries by a service config: they would multiply. */
  "grpc.enable_retries": 0;
} {
  return { interceptors: [interceptor(policy, options)], "grpc.enable_retries": 0 };
}

/** How long a deadline is away, in milliseconds. */
function leftOf(deadline: InterceptorOptions["deadline"]): number | undefined {
  if (deadline === undefined) return undefined;
  return Math.max(Number(deadline) - Date.now(), 0);
}

/** What a call that went well brought. */
interface Answer {
  readonly metadata: Metadata | undefined;
  readonly message: unknown;
  readonly status: StatusObject;
}

/** What makes the plan of a call. */
type MakePlan = (signal: Signal, has: (name: string) => boolean) => Plan;

/** A unary call as grpc-js drives it; the attempts begin once its message is there. */
class UnaryCall implements Omit<Inner, "getAuthContext"> {
  readonly #options: InterceptorOptions;
  readonly #nextCall: NextCall;
  readonly #plan: MakePlan;
  readonly #stop = new AbortController();
  #metadata!: Metadata;
  #listener: Partial<Listener> = {};
  #message: unknown;
  #context: Parameters<Inner["sendMessageWithContext"]>[0] = {};
  #current: Inner | undefined;

  constructor(options: InterceptorOptions, nextCall: NextCall, plan: MakePlan) {
    this.#options = options;
    this.#nextCall = nextCall;
    this.#plan = plan;
  }

  start(metadata: Metadata, listener: Partial<Listener> = {}): void {
    this.#metadata = metadata;
    this.#listener = listener;
  }

  sendMessage(message: unknown): void {
    this.sendMessageWithContext({}, message);
  }

  sendMessageWithContext(context: Parameters<Inner["sendMessageWithContext"]>[0], message: unknown): void {
    this.#context = context;
    this.#message = message;
  }

  /** A unary call reads by itself. */
  startRead(): void {}

  halfClose(): void {
    void this.#run();
  }

  cancelWithStatus(code: number, details: string): void {
    this.#stop.abort(Object.assign(new Error(details), { name: "AbortError", code, details }));
    this.#current?.cancelWithStatus(code, details);
  }

  getPeer(): string {
    return this.#current?.getPeer() ?? "unknown";
  }

  getAuthContext(): unknown {
    return (read(this.#current, "getAuthContext") as (() => unknown) | undefined)?.call(this.#current) ?? null;
  }

  async #run(): Promise<void> {
    const has = (name: string) => this.#metadata.get(name).length > 0;
    try {
      const plan = this.#plan(this.#stop.signal as Signal, has);
      const { metadata, message, status } = await plan.call((attempt) => this.#attempt(attempt, plan));
      if (metadata !== undefined) this.#listener.onReceiveMetadata?.(metadata);
      this.#listener.onReceiveMessage?.(message);
      this.#listener.onReceiveStatus?.(status);
    } catch (error) {
      this.#listener.onReceiveStatus?.(this.#statusOf(error));
    }
  }

  #attempt(attempt: Attempt, plan: Plan): Promise<Answer> {
    const metadata = this.#metadata.clone();
    if (plan.key !== undefined) metadata.set(KEY, plan.key);
    // gRFC A6.
    if (attempt.attempt > 1) metadata.set("grpc-previous-rpc-attempts", String(attempt.attempt - 1));
    const left = plan.leftMs(attempt);
    // A whole millisecond later than the policy, which knows why it ends an attempt.
    const options = left === null ? this.#options : { ...this.#options, deadline: Date.now() + Math.ceil(left) + 1 };
    return new Promise<Answer>((resolve, reject) => {
      const call = this.#nextCall(options);
      this.#current = call;
      let received: Metadata | undefined;
      let message: unknown = null;
      const unlisten = onAbort(attempt.signal, () => {
        const { reason } = attempt.signal;
        call.cancelWithStatus(codeOf(reason), messageOf(reason));
      });
      call.start(metadata, {
        onReceiveMetadata: (found) => {
          received = found;
        },
        onReceiveMessage: (found) => {
          message = found;
        },
        onReceiveStatus: (status) => {
          unlisten();
          if (status.code === OK) resolve({ metadata: received, message, status });
          else reject(plan.marked(Object.assign(new Error(status.details), status), grpc));
        },
      });
      call.sendMessageWithContext(this.#context, this.#message);
      call.halfClose();
    });
  }

  /** The status of a call that failed: of the server's last one, or of what the policy threw, which is its cause. */
  #statusOf(error: unknown): StatusObject {
    const [code, metadata] = [read(error, "code"), read(error, "metadata")];
    // A DOMException has a code, too, which is none of gRPC.
    const isStatus = typeof code === "number" && typeof read(error, "details") === "string";
    const Empty = this.#metadata.constructor as new () => Metadata;
    const status = {
      code: isStatus ? code : codeOf(error),
      details: messageOf(error),
      metadata: (metadata as Metadata | undefined) ?? new Empty(),
      cause: error,
    };
    return status;
  }
}
