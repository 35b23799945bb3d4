// Members that only the package itself sees: in the trees of modules they have short names, which no minifier of a
// program could give them. A name is here if nothing else can have it: no option, no member that a program sees, and
// nothing of the platform or of a client. The build refuses one that is a text somewhere, as it may be looked up by
// that. What is left out costs a few bytes, and nothing else.

export const MEMBERS = [
  // Objects with state in the core, and what a call is made with.
  ..."alarm areOver circuit classifiesAborts entered free isDisposed listens make ofCall rules runs single".split(" "),
  ..."slot timed wouldAdmit".split(" "),
  // A call as the core keeps it, and as its hooks see it.
  ..."accepted admits begun circuitEvent decided deferred emitEnd emitRejection emitStart emitState".split(" "),
  ..."endForReason endWithSuccess failedEnd gate inFlight isEnded isLost leaves nextSleep observed rest".split(" "),
  ..."ofBreaker ofBudget outcomeNow resumed thrown".split(" "),
  // As a machine.
  ..."abortError admitted answerLimit answered asked begins choose classificationOf deferRetry delayed".split(" "),
  ..."errorOf failedByError failedByValue ignored interrupted isAborted isCut isLimited prepared".split(" "),
  ..."question reclassify remainingNow sleepDecision waited waits".split(" "),
];

/** Refuses a source that has one of the names as a text. */
export function checkTexts(source) {
  const [, text] = new RegExp(`["'](${MEMBERS.join("|")})["']`).exec(source) ?? [];
  if (text !== undefined) throw new Error(`"${text}" is a text, too, and may be looked up by it: not for members.mjs`);
}

/** The short name of each: `_0`, `_1` and so on, which classes that extend ours hardly have. */
export function shortMembers() {
  return Object.fromEntries(MEMBERS.map((name, index) => [name, `_${index.toString(36)}`]));
}
