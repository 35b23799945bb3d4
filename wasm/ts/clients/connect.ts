// Connect behind a policy: an interceptor of a transport.

import type { Interceptor, UnaryRequest } from "@connectrpc/connect";
import { read } from "../classify/facts.js";
import { grpc } from "../classify/vendors.js";
import { optionValue } from "../config/checks.js";
import type { Attempt, Signal } from "../types.js";
import { Caller, type ClientPolicy, KEY, type Plan } from "./caller.js";
import type { GrpcOptions } from "./grpc.js";
import { codeOf, messageOf } from "./status.js";

const GRPC_TIMEOUT = "grpc-timeout";
const CONNECT_TIMEOUT = "connect-timeout-ms";

/**
 * An interceptor that sends unary calls through a policy; calls that stream go on as they are. A failure is of the class of
 * its code, with the server's RetryInfo. The operation in events is `package.Service/Method`, and the key of a policy by key
 * the service.
 *
 * `timeoutMs` of a call ends the whole call. Each attempt tells the server what is left, by `connect-timeout-ms` or
 * `grpc-timeout`, as the transport would. Errors are ConnectErrors: `unavailable` if the breaker is open, with the CircuitOpenError as
 * `cause`. Give a transport one such interceptor, and name it last, so that others run once for a call.
 */
export function interceptor(policy: ClientPolicy, options: GrpcOptions = {}): Interceptor {
  const { sendOnce, ...more } = options;
  optionValue("connect.sendOnce", sendOnce, "function");
  const caller = new Caller("connect", policy, { ...more, repeatAnyMethod: false });
  return (next) => async (request) => {
    if (request.stream) return next(request);
    const { typeName } = request.service;
    const operation = `${typeName}/${request.method.name}`;
    const plan = caller.plan({
      operation,
      host: typeName,
      isIdempotent: sendOnce?.(operation) !== true,
      takesKey: true,
      isReplayable: true,
      has: (name) => request.header.has(name),
      signal: request.signal as Signal,
    });
    const attempted = async (attempt: Attempt) => {
      try {
        return await next(ofAttempt(request, attempt, plan));
      } catch (error) {
        throw plan.marked(error, grpc);
      }
    };
    try {
      return await plan.call(attempted);
    } catch (error) {
      throw read(error, "name") === "ConnectError" ? error : asConnectError(error);
    }
  };
}

/** The request of one attempt. */
function ofAttempt(request: UnaryRequest, attempt: Attempt, plan: Plan): UnaryRequest {
  const header = new Headers(request.header);
  if (plan.key !== undefined) header.set(KEY, plan.key);
  // gRFC A6.
  if (attempt.attempt > 1) header.set("grpc-previous-rpc-attempts", String(attempt.attempt - 1));
  const left = plan.leftMs(attempt);
  const isGrpc = header.get("content-type")?.startsWith("application/grpc");
  const said = isGrpc ? timeoutOf(header.get(GRPC_TIMEOUT)) : Number(header.get(CONNECT_TIMEOUT) ?? Infinity);
  const ms = Math.floor(Math.min(left ?? Infinity, said));
  // Of the protocol 8 digits are allowed, and 10.
  if (isGrpc && ms < 1e8) header.set(GRPC_TIMEOUT, `${ms}m`);
  if (!isGrpc && ms < 1e10) header.set(CONNECT_TIMEOUT, String(ms));
  return { ...request, header, signal: attempt.signal as AbortSignal };
}

/** A `grpc-timeout` as a transport of Connect writes it, in milliseconds. */
function timeoutOf(value: string | null): number {
  return /^\d{1,8}m$/.test(value ?? "") ? Number.parseInt(value as string, 10) : Infinity;
}

/** What the policy threw, as the error that clients of Connect know: they ask what an error has, and not who made it. */
function asConnectError(error: unknown): Error {
  const message = messageOf(error);
  const shown = new Error(`[policy] ${message}`, { cause: error });
  const code = codeOf(error);
  return Object.assign(shown, {
    name: "ConnectError",
    code,
    rawMessage: message,
    metadata: new Headers(),
    details: [],
  });
}
