//! A state that is in a store: read, decided on by the core, and written back if nothing else was
//! written meanwhile.

use std::error::Error;
use std::fmt;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redress::Instant;
use redress::random::{Draw, SystemRandom};
use redress::snapshot::SnapshotError;
use tokio::sync::oneshot;
use tokio::time;

use super::store::{Moment, Store, Stored, push_hex};
use super::{Sharing, WhenUnreachable};

/// How often a state is read before other processes have won.
const ATTEMPTS: usize = 5;

/// What is shared: a state of the core, and what it is asked.
pub(super) trait Core: Send + 'static {
    type Question: Send;
    type Answer: Send;

    /// The bytes of its state.
    fn save(&self, now: Instant) -> Vec<u8>;
    /// Takes over the state of these bytes.
    fn restore(&mut self, bytes: &[u8], now: Instant) -> Result<(), SnapshotError>;
    /// Decides on the state that it has.
    fn decide(&mut self, question: &mut Self::Question, now: Instant) -> Self::Answer;
    /// The answer if the state cannot be written, or the store cannot be reached and calls are
    /// rejected then.
    fn otherwise(question: &Self::Question) -> Self::Answer;
    /// What gives back what an answer took that its caller no longer waits for.
    fn take_back(answer: Self::Answer) -> Option<Self::Question>;
}

/// One state in a store. At most one exchange with the store is in flight: what is asked meanwhile
/// waits, and is decided together, with one reading and at most one writing.
pub(super) struct SharedState<S, C: Core> {
    store: S,
    key: String,
    sharing: Sharing,
    queue: Mutex<Queue<C>>,
    work: Mutex<Work<C>>,
}

struct Queue<C: Core> {
    waiting: Vec<Waiting<C>>,
    is_running: bool,
}

struct Waiting<C: Core> {
    question: C::Question,
    answer: C::Answer,
    /// Where the answer goes; `None` if it is awaited by no one.
    reply: Option<oneshot::Sender<C::Answer>>,
}

struct Work<C> {
    core: C,
    fresh: Vec<u8>,
    /// What the store had last, and when that was by this process.
    known: (Stored, time::Instant),
}

type Failure = Box<dyn Error + Send + Sync>;

/// The store did not answer in time.
#[derive(Debug)]
struct Late {
    key: String,
    limit: Duration,
}

impl fmt::Display for Late {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: the store did not answer within {} ms", self.key, self.limit.as_millis())
    }
}

impl Error for Late {}

impl<S: Store, C: Core> SharedState<S, C> {
    pub(super) fn new(store: S, sharing: Sharing, core: C) -> Self {
        let fresh = core.save(Instant::ZERO);
        // It begins with what it is of, the version of its form, and the fingerprint of the settings:
        // six bytes.
        let mut key = format!("{}:", sharing.key);
        push_hex(&mut key, fresh.get(..6).unwrap_or_default());
        let since_1970 = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
        let stored = Stored { now_us: micros(since_1970), ..Stored::default() };
        let work = Work { core, fresh, known: (stored, time::Instant::now()) };
        let queue = Queue { waiting: Vec::new(), is_running: false };
        Self { store, key, sharing, queue: Mutex::new(queue), work: Mutex::new(work) }
    }

    /// The key of the state in the store.
    pub(super) fn key(&self) -> &str {
        &self.key
    }

    /// Asks the state in the store. What was asked is decided also if this future is dropped; what
    /// the answer took is given back then.
    pub(super) async fn ask(self: &Arc<Self>, question: C::Question) -> C::Answer {
        let otherwise = C::otherwise(&question);
        let (reply, answer) = oneshot::channel();
        let mut asking = Asking { state: self.clone(), answer };
        self.put(question, Some(reply));
        // Without an answer the exchange has panicked, or its runtime has ended.
        (&mut asking.answer).await.unwrap_or(otherwise)
    }

    fn put(self: &Arc<Self>, question: C::Question, reply: Option<oneshot::Sender<C::Answer>>) {
        let answer = C::otherwise(&question);
        let mut queue = lock(&self.queue);
        queue.waiting.push(Waiting { question, answer, reply });
        if !mem::replace(&mut queue.is_running, true) {
            drop(queue);
            tokio::spawn(Running { state: self.clone(), is_over: false }.run());
        }
    }

    /// What was asked since the last exchange; if nothing was, there is none in flight any more.
    fn next(&self) -> Vec<Waiting<C>> {
        let mut queue = lock(&self.queue);
        let asked = mem::take(&mut queue.waiting);
        queue.is_running = !asked.is_empty();
        asked
    }

    async fn answer(&self, asked: &mut [Waiting<C>]) {
        let exchanged = match self.sharing.timeout {
            None => self.exchange(asked).await,
            Some(limit) => time::timeout(limit, self.exchange(asked))
                .await
                .unwrap_or_else(|_| Err(Late { key: self.key.clone(), limit }.into())),
        };
        let Err(error) = exchanged else { return };
        if let Some(hook) = &self.sharing.on_unreachable {
            notify(|| hook(&*error));
        }
        for one in &mut *asked {
            one.answer = C::otherwise(&one.question);
        }
        if self.sharing.when_unreachable == WhenUnreachable::Reject {
            return;
        }
        let mut work = lock(&self.work);
        let (mut stored, at) = work.known.clone();
        stored.now_us = stored.now_us.saturating_add(micros(at.elapsed()));
        if let Some(value) = work.decide(asked, &stored, true) {
            stored.value = value;
        }
        work.know(stored);
    }

    async fn exchange(&self, asked: &mut [Waiting<C>]) -> Result<(), Failure> {
        for attempt in 1..=ATTEMPTS {
            let mut stored = self.store.read(&self.key).await.map_err(Into::into)?;
            let decided = {
                let mut work = lock(&self.work);
                work.know(stored.clone());
                work.decide(asked, &stored, true)
            };
            let Some(value) = decided else { return Ok(()) };
            let next = version();
            let written = self.store.write(&self.key, &stored.version, &next, &value);
            if written.await.map_err(Into::into)? {
                (stored.version, stored.value) = (next, value);
                lock(&self.work).know(stored);
                return Ok(());
            }
            if attempt == ATTEMPTS {
                lock(&self.work).decide(asked, &stored, false);
            }
        }
        if let Some(hook) = &self.sharing.on_conflict {
            notify(|| hook());
        }
        Ok(())
    }
}

/// The wait for an answer.
struct Asking<S: Store, C: Core> {
    state: Arc<SharedState<S, C>>,
    answer: oneshot::Receiver<C::Answer>,
}

/// An answer that came and was not taken is given back.
impl<S: Store, C: Core> Drop for Asking<S, C> {
    fn drop(&mut self) {
        self.answer.close();
        if let Ok(answer) = self.answer.try_recv()
            && let Some(question) = C::take_back(answer)
            && tokio::runtime::Handle::try_current().is_ok()
        {
            self.state.put(question, None);
        }
    }
}

impl<C: Core> Work<C> {
    fn know(&mut self, stored: Stored) {
        self.known = (stored, time::Instant::now());
    }

    /// Decides on what is stored; the new value, `None` if nothing has changed. Where it cannot be
    /// written, what would change the state is answered otherwise.
    fn decide(
        &mut self,
        asked: &mut [Waiting<C>],
        stored: &Stored,
        is_writable: bool,
    ) -> Option<String> {
        let before = Moment::of_value(&stored.value);
        let (was_at, was_back) =
            before.as_ref().map_or((0, 0), |before| (before.us, before.stepped_back_us));
        // Time goes on from where it was, also if another server with an earlier clock has taken over.
        let us = stored.now_us.saturating_add(was_back).max(was_at);
        let stepped_back_us = us - stored.now_us;
        let now = Instant::from_micros(us);
        let begun = self.begun(before.as_ref(), now);
        let mut data = begun.clone();
        for one in asked {
            // What it had itself a moment ago, it takes over.
            let _ = self.core.restore(&data, now);
            one.answer = self.core.decide(&mut one.question, now);
            let after = self.core.save(now);
            if is_writable {
                data = after;
            } else if after != data {
                one.answer = C::otherwise(&one.question);
            }
        }
        let is_same = data == begun && stepped_back_us == was_back;
        (!is_same).then(|| Moment { us, stepped_back_us, data }.to_value())
    }

    /// What is stored, as it is now.
    fn begun(&mut self, stored: Option<&Moment>, now: Instant) -> Vec<u8> {
        let restored = stored.is_some_and(|stored| {
            self.core.restore(&stored.data, Instant::from_micros(stored.us)).is_ok()
        });
        // There is none, or it is damaged: it begins anew.
        if !restored {
            let _ = self.core.restore(&self.fresh, now);
        }
        self.core.save(now)
    }
}

/// The exchange in flight. If it ends before its time, what is asked is answered otherwise, and the
/// next question begins another.
struct Running<S: Store, C: Core> {
    state: Arc<SharedState<S, C>>,
    /// Nothing waits; another may be in flight already.
    is_over: bool,
}

impl<S: Store, C: Core> Running<S, C> {
    async fn run(mut self) {
        loop {
            let mut asked = self.state.next();
            if asked.is_empty() {
                self.is_over = true;
                return;
            }
            self.state.answer(&mut asked).await;
            for Waiting { answer, reply, .. } in asked {
                let Some(reply) = reply else { continue };
                if let Err(unheard) = reply.send(answer)
                    && let Some(question) = C::take_back(unheard)
                {
                    self.state.put(question, None);
                }
            }
        }
    }
}

impl<S: Store, C: Core> Drop for Running<S, C> {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        let mut queue = lock(&self.state.queue);
        queue.is_running = false;
        queue.waiting.clear();
    }
}

/// A panic of a decision leaves nothing behind: the next one begins from what is stored.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs a hook, whose panic changes nothing.
fn notify(hook: impl FnOnce()) {
    let _ = catch_unwind(AssertUnwindSafe(hook));
}

/// A version that no other process has.
fn version() -> String {
    let mut version = String::with_capacity(32);
    for _ in 0..4 {
        push_hex(&mut version, &SystemRandom.draw().unwrap_or_default().to_be_bytes());
    }
    version
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}
