// Classifiers, for `classifier` and `resultClassifier`: `classify.http` and so on. They take anything that can be thrown,
// or returned, and never throw. A bundler leaves out those that a program does not name.

export { byDefault as default, strict } from "./defaults.js";
export { http } from "./http.js";
export { system } from "./system.js";
export { aws, grpc, odbc, redis, sqlstate } from "./vendors.js";
