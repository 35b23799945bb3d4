// Every behaviour, in the order they run.

import "./server.js";
import "./retry.js";
import "./plain.js";
import "./odd-values.js";
import "./strategies.js";
import "./breaker.js";
import "./circuit.js";
import "./budget.js";
import "./state.js";
import "./classification.js";
import "./wrapped.js";
import "./observability.js";
import "./outcomes.js";
import "./abort.js";
import "./cancellation.js";
import "./sleep.js";
import "./deadline.js";
import "./long-delays.js";
import "./renewal.js";
import "./wrapping.js";
import "./steps.js";
import "./keyed.js";
import "./testing.js";
import "./lifecycle.js";
import "./boundary.js";
import "./options.js";
import "./misuse.js";
import "./lint.js";
import "./conformance.js";
import "./http.js";
import "./fetch.js";

export { runSuite } from "./harness.js";
