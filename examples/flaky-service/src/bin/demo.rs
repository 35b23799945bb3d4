//! `cargo demo`: a flaky service, one policy, and a naive loop beside it.

use std::io::{self, Write as _};
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use flaky_service::arguments::Arguments;
use flaky_service::board::Board;
use flaky_service::guarded::{self, Condition};
use flaky_service::introduction::{introduction, introduction_of_the_node};
use flaky_service::load::{Load, Target};
use flaky_service::mcu;
use flaky_service::naive;
use flaky_service::playground;
use flaky_service::report::{Report, Side};
use flaky_service::service::{FlakyService, Script};
use flaky_service::view::{TICK, View};
use redress::Policy;
use redress::event::CircuitState;
use reqwest::{Client, Url};

fn main() -> ExitCode {
    let arguments = match Arguments::read() {
        Ok(arguments) => arguments,
        Err(code) => return code,
    };
    if arguments.mcu {
        return node(arguments.kills);
    }
    if arguments.playground {
        return page(arguments.port.unwrap_or(0));
    }
    match run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        // The reader is gone, as after `| head`.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Serves the playground until the process is ended.
fn page(port: u32) -> ExitCode {
    let served =
        tokio::runtime::Builder::new_current_thread().enable_all().build().and_then(|runtime| {
            let folder = playground::built()?;
            runtime.block_on(async {
                let listener =
                    playground::listen(u16::try_from(port).map_err(io::Error::other)?).await?;
                print(format_args!(
                    "The playground is on http://{}/, until Ctrl-C\n",
                    listener.local_addr()?
                ))?;
                playground::serve(listener, folder).await
            })
        });
    match served {
        Ok(never) => match never {},
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the demo on a microcontroller.
fn node(kills: Option<u32>) -> ExitCode {
    if let Err(trouble) = mcu::emulator() {
        eprintln!("error: {trouble}");
        return ExitCode::from(2);
    }
    // At once: what is built first takes a minute, and cargo shows it.
    if let Err(error) = print(format_args!("{}\n\n", introduction_of_the_node(kills))) {
        eprintln!("error: {error}");
        return ExitCode::FAILURE;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let played = match runtime {
        Ok(runtime) => runtime.block_on(mcu::run(kills)).map_err(|trouble| trouble.to_string()),
        Err(why) => Err(why.to_string()),
    };
    match played {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the demo; says whether the guarded calls came through.
fn run(arguments: &Arguments) -> io::Result<bool> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let came_through = runtime.block_on(async {
        match &arguments.url {
            Some(url) => own(url, arguments).await,
            None => scripted(arguments).await,
        }
    });
    // A name that does not resolve may hold a thread for long.
    runtime.shutdown_background();
    came_through
}

/// Both loads at once, each on a flaky service of its own.
async fn scripted(arguments: &Arguments) -> io::Result<bool> {
    let script = Script::all_faults(arguments.seed.unwrap_or(1));
    print(format_args!("{}\n", introduction(arguments, script.length())))?;
    let (upstream, twin) = (FlakyService::start(script).await?, FlakyService::start(script).await?);
    let load = |service: &FlakyService| -> io::Result<Load> {
        let base = Url::parse(&format!("http://{}/", service.address()));
        Ok(Load {
            target: Target::Scripted(base.map_err(io::Error::other)?),
            callers: arguments.callers(),
            calls: arguments.calls(),
            span: script.length(),
            limit: script.length() + arguments.deadline,
        })
    };
    let (guarded_load, naive_load) = (load(&upstream)?, load(&twin)?);
    let total = guarded_load.total();
    let client = || Client::builder().no_proxy().build().map_err(io::Error::other);
    let callers = Callers::new(arguments, Duration::from_millis(400))?;

    let (address, seed) = (upstream.address(), script.seed);
    print(format_args!("A flaky service on http://{address}, seed {seed}; {guarded_load}\n\n"))?;

    let guarded = callers.guarded(guarded_load, client()?);
    let naive = callers.naive(naive_load, client()?);
    let board = callers.board;
    let mut view = View::new(total, !arguments.guarded_only);
    let work = async {
        let naive = (!arguments.guarded_only).then(|| tokio::spawn(naive));
        let guarded = guarded.await;
        let naive = match naive {
            Some(load) => Some(load.await?),
            None => None,
        };
        Ok::<_, tokio::task::JoinError>((guarded, naive))
    };
    let took = watch(work, || view.show(&board, Some(&upstream))).await?;
    let (guarded, naive) = took.map_err(io::Error::other)?;
    view.finish(&board, Some(&upstream))?;

    let report = Report {
        total,
        guarded: Side::new(board.guarded(|tally| *tally), guarded, Some(&upstream)),
        naive: naive.map(|took| Side::new(board.naive(|tally| *tally), took, Some(&twin))),
        last_failure: board.last_failure(),
    };
    print(format_args!("\n{report}"))?;
    Ok(report.guarded.tally.successes() > 0 && Condition::now().breaker == CircuitState::Closed)
}

/// The guarded load on a service of the user's own, then the naive one.
async fn own(url: &Url, arguments: &Arguments) -> io::Result<bool> {
    let span = Duration::from_millis(200) * arguments.calls();
    print(format_args!("{}\n", introduction(arguments, span)))?;
    let load = Load {
        target: Target::Own(url.clone()),
        callers: arguments.callers(),
        calls: arguments.calls(),
        span,
        limit: span + arguments.deadline,
    };
    let total = load.total();
    let callers = Callers::new(arguments, arguments.deadline / 4)?;

    let client = Client::builder().build().map_err(io::Error::other)?;
    let place = format!("{}{}", url.origin().ascii_serialization(), url.path());
    print(format_args!("{place}; {load}\n\n"))?;

    let guarded = callers.guarded(load.clone(), client.clone());
    let naive = callers.naive(load, client);
    let board = callers.board;
    let mut view = View::new(total, !arguments.guarded_only);
    let work = async {
        let guarded = guarded.await;
        if arguments.guarded_only { (guarded, None) } else { (guarded, Some(naive.await)) }
    };
    let (guarded, naive) = watch(work, || view.show(&board, None)).await?;
    view.finish(&board, None)?;

    let report = Report {
        total,
        guarded: Side::new(board.guarded(|tally| *tally), guarded, None),
        naive: naive.map(|took| Side::new(board.naive(|tally| *tally), took, None)),
        last_failure: board.last_failure(),
    };
    print(format_args!("\n{report}"))?;
    Ok(report.guarded.tally.successes() > 0)
}

/// What the callers of both loads have in common.
struct Callers {
    attempts: u32,
    attempt_timeout: Duration,
    policy: Policy,
    board: Arc<Board>,
}

impl Callers {
    fn new(arguments: &Arguments, attempt_timeout: Duration) -> io::Result<Self> {
        let Arguments { attempts, deadline, .. } = *arguments;
        let policy = guarded::upstream_with(attempts, deadline.into(), attempt_timeout.into());
        let policy = policy.map_err(io::Error::other)?;
        Ok(Self { attempts, attempt_timeout, policy, board: Arc::default() })
    }

    /// Makes the calls of a load under the policy; says how long it took.
    fn guarded(&self, load: Load, client: Client) -> impl Future<Output = Duration> + use<> {
        let (policy, board) = (self.policy, Arc::clone(&self.board));
        async move {
            load.run(move |errand| {
                let (client, board) = (client.clone(), Arc::clone(&board));
                async move { guarded::call(&client, &errand, &policy, &board).await }
            })
            .await
        }
    }

    /// Makes the calls of a load in the naive loop; says how long it took.
    fn naive(&self, load: Load, client: Client) -> impl Future<Output = Duration> + use<> {
        let (attempts, attempt_timeout) = (self.attempts, self.attempt_timeout);
        let board = Arc::clone(&self.board);
        async move {
            load.run(move |errand| {
                let (client, board) = (client.clone(), Arc::clone(&board));
                async move { naive::call(&client, &errand, attempts, attempt_timeout, &board).await }
            })
            .await
        }
    }
}

/// Awaits `work` and shows how it goes.
async fn watch<T>(
    work: impl Future<Output = T>,
    mut show: impl FnMut() -> io::Result<()>,
) -> io::Result<T> {
    let mut work = pin!(work);
    loop {
        match tokio::time::timeout(TICK, &mut work).await {
            Ok(done) => return Ok(done),
            Err(_) => show()?,
        }
    }
}

/// Writes to stdout at once.
fn print(text: std::fmt::Arguments<'_>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_fmt(text)?;
    out.flush()
}
