// A service of gRPC that plays a script, a step for each call, the last step again and again; for grpc-js and for Connect.
//
//   OK (0), UNAVAILABLE (14), ..       that status
//   { code, metadata }
//   "hang"                             no answer at all

import { create, createFileRegistry, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  file_google_protobuf_wrappers,
  StringValueSchema,
} from "@bufbuild/protobuf/wkt";
import * as grpc from "@grpc/grpc-js";
import { startFront } from "./front.mjs";

const text = ".google.protobuf.StringValue";
const file = create(FileDescriptorProtoSchema, {
  name: "shop.proto",
  package: "shop",
  syntax: "proto3",
  dependency: [file_google_protobuf_wrappers.proto.name],
  service: [
    {
      name: "Prices",
      method: [
        { name: "Get", inputType: text, outputType: text },
        { name: "Watch", inputType: text, outputType: text, serverStreaming: true },
      ],
    },
  ],
});

/** The service as Connect describes it. */
export const Prices = createFileRegistry(
  create(FileDescriptorSetSchema, { file: [file_google_protobuf_wrappers.proto, file] }),
).getService("shop.Prices");

const serialize = (value) => Buffer.from(toBinary(StringValueSchema, create(StringValueSchema, { value })));
const deserialize = (bytes) => fromBinary(StringValueSchema, bytes).value;
const method = (name, responseStream) => ({
  path: `/shop.Prices/${name}`,
  requestStream: false,
  responseStream,
  requestSerialize: serialize,
  requestDeserialize: deserialize,
  responseSerialize: serialize,
  responseDeserialize: deserialize,
});

/** The service as grpc-js describes it. */
export const service = { get: method("Get", false), watch: method("Watch", true) };
export const PricesClient = grpc.makeGenericClientConstructor(service, "Prices");

/** Starts it; its port, the calls that came, and what stops it. */
export async function startPrices(script, { cleanup }) {
  const calls = [];
  const waiting = [];
  const server = new grpc.Server();
  const seen = (call) => {
    const step = script[Math.min(calls.length, script.length - 1)];
    const found = {
      metadata: call.metadata.getMap(),
      deadline: call.getDeadline(),
      request: call.request,
      isCancelled: false,
    };
    calls.push(found);
    call.on("cancelled", () => {
      found.isCancelled = true;
      for (const one of waiting.splice(0)) one();
    });
    for (const one of waiting.splice(0)) one();
    return step;
  };
  const get = (call, callback) => {
    const step = seen(call);
    if (step === "hang") return;
    const { code, metadata = {} } = typeof step === "number" ? { code: step } : step;
    const sent = new grpc.Metadata();
    for (const [key, value] of Object.entries(metadata)) sent.set(key, value);
    if (code === 0) callback(null, `price of ${call.request}`, sent);
    else callback({ code, details: `status ${code}`, metadata: sent });
  };
  const watch = (call) => {
    seen(call);
    call.write(`${call.request} 1`);
    streams.push(call);
  };
  const streams = [];
  server.addService(service, { get, watch });
  const behind = await new Promise((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) =>
      error ? reject(error) : resolve(port),
    );
  });
  const front = await startFront(behind);
  cleanup(() => {
    front.stop();
    server.forceShutdown();
  });
  return {
    address: `127.0.0.1:${front.port}`,
    url: `http://127.0.0.1:${front.port}`,
    calls,
    cut: front.cut,
    /** Lets the rest of all streams come. */
    rest() {
      for (const call of streams.splice(0)) {
        call.write("2");
        call.end();
      }
    },
    /** Resolves once it is so, looked at whenever a call comes or is cancelled. */
    async until(isSo) {
      while (!isSo()) await new Promise((resolve) => waiting.push(resolve));
    },
  };
}
