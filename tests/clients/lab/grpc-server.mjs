// A server of gRPC whose one method answers with the status that it is asked for.

import { create, createFileRegistry, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  file_google_protobuf_wrappers,
  StringValueSchema,
} from "@bufbuild/protobuf/wkt";
import * as grpc from "@grpc/grpc-js";
import { startFront } from "../../adapters/lab/front.mjs";

const text = ".google.protobuf.StringValue";
const wrappers = file_google_protobuf_wrappers.proto;
const file = create(FileDescriptorProtoSchema, {
  name: "lab.proto",
  package: "lab",
  syntax: "proto3",
  dependency: [wrappers.name],
  service: [{ name: "Lab", method: [{ name: "Call", inputType: text, outputType: text }] }],
});

/** The service as Connect describes it. */
export const Lab = createFileRegistry(create(FileDescriptorSetSchema, { file: [wrappers, file] })).getService(
  "lab.Lab",
);

const serialize = (value) => Buffer.from(toBinary(StringValueSchema, create(StringValueSchema, { value })));
const deserialize = (bytes) => fromBinary(StringValueSchema, bytes).value;

/** The service as grpc-js describes it. */
export const service = {
  call: {
    path: "/lab.Lab/Call",
    requestStream: false,
    responseStream: false,
    requestSerialize: serialize,
    requestDeserialize: deserialize,
    responseSerialize: serialize,
    responseDeserialize: deserialize,
  },
};

/** A field of a message of protobuf: a number, or bytes. */
function field(number, value) {
  if (typeof value === "number") return Buffer.from([number << 3, value]);
  return Buffer.concat([Buffer.from([(number << 3) | 2, value.length]), value]);
}

/** A google.rpc.Status with a google.rpc.RetryInfo of so many seconds and a half. */
function retryInfo(code, seconds) {
  const half = Buffer.from([2 << 3, 0x80, 0xca, 0xb5, 0xee, 0x01]);
  const delay = Buffer.concat([field(1, seconds), half]);
  const type = Buffer.from("type.googleapis.com/google.rpc.RetryInfo");
  const any = Buffer.concat([field(1, type), field(2, field(1, delay))]);
  return Buffer.concat([field(1, code), field(2, Buffer.from("busy")), field(3, any)]);
}

export async function startGrpc() {
  const waiting = new Set();
  function call({ request }, callback) {
    const { hang, code, pushback, retryS } = JSON.parse(request);
    if (hang) {
      for (const resolve of waiting) resolve();
      return;
    }
    const metadata = new grpc.Metadata();
    if (pushback !== undefined) metadata.set("grpc-retry-pushback-ms", pushback);
    if (retryS !== undefined) metadata.set("grpc-status-details-bin", retryInfo(code, retryS));
    callback({ code, details: `status ${code}`, metadata });
  }
  const server = new grpc.Server();
  server.addService(service, { call });
  const behind = await new Promise((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) =>
      error ? reject(error) : resolve(port),
    ),
  );
  const front = await startFront(behind);
  return {
    port: front.port,
    /** Resolves once a call hangs. */
    hanging: () => new Promise((resolve) => waiting.add(resolve)),
    cut: front.cut,
    async stop() {
      front.stop();
      server.forceShutdown();
    },
  };
}
