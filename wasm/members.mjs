// Members that only the package itself sees: in the trees of modules they have short names, which no minifier of a
// program could give them. A name is here if nothing else can have it: no option, no member that a program sees, and
// nothing of the platform or of a client. What is left out costs a few bytes, and nothing else.

export const MEMBERS = [
  // Objects with state in the core, and what a call is made with.
  ..."areOver classifiesAborts entered isDisposed listens ofCall wouldAdmit".split(" "),
  // A call as the core keeps it, and as its hooks see it.
  ..."accepted admits begun circuitEvent counted decided deferred emitEnd emitRejection emitStart emitState".split(" "),
  ..."endForReason endWithSuccess failedEnd inFlight isEnded isLost leaves nextSleep observed".split(" "),
  ..."ofBreaker ofBudget outcomeNow resumed thrown wake".split(" "),
  // As a machine.
  ..."abortError admitted answerLimit answered begins classificationOf deferRetry delayed errorOf".split(" "),
  ..."failedByError failedByValue ignored interrupted isAborted isCut isLimited prepared reclassify".split(" "),
  ..."remainingNow sleepDecision waited waits".split(" "),
];

/** The short name of each: `_0`, `_1` and so on, which classes that extend ours hardly have. */
export function shortMembers() {
  return Object.fromEntries(MEMBERS.map((name, index) => [name, `_${index.toString(36)}`]));
}
