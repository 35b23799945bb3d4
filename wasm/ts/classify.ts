// Classifiers, for `classifier` and `resultClassifier`: `classify.http` and so on. They take anything that can be thrown,
// or returned, and never throw. A bundler leaves out those that a program does not name.

export { any, llm } from "./classify/any.js";
export { amqp, kafka, mongodb, mqtt, mssql, mysql, nats, prisma, smtp, sqlite } from "./classify/clients.js";
export { byDefault as default, strict } from "./classify/default.js";
export { first } from "./classify/first.js";
export { http } from "./classify/http.js";
export { system } from "./classify/system.js";
export { aws, grpc, odbc, redis, sqlstate } from "./classify/vendors.js";
