//! The servers and the service: [`Stage`].

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use redress_hosts::Failure;
use redress_hosts::servers::grpc::Grpc;
use redress_hosts::servers::postgres::Postgres;
use redress_hosts::servers::redis::Redis;
use redress_hosts::servers::sockets::{Answer, Socket, http};
use redress_hosts::servers::{Folder, Server, free_port};
use reqwest::{Client, Url};
use serde_json::Value;

use crate::load::Load;
use crate::report::Calls;

/// The settings of the example, with the addresses of this run.
const SETTINGS: &str = include_str!("../../../upstreams.toml");

/// Everything that runs. The service ends first, its servers after it.
pub(crate) struct Stage {
    pub(crate) service: Server,
    pub(crate) load: Load,
    pub(crate) prometheus: Option<Prometheus>,
    pub(crate) postgres: Postgres,
    pub(crate) redis: Redis,
    pub(crate) stock: Option<Grpc>,
    pub(crate) prices: Socket,
    /// For how long each phase runs at least.
    pub(crate) phase: Duration,
    pub(crate) settings: toml::Table,
    file: PathBuf,
    url: String,
    /// How much of the log was read already.
    read: usize,
    _folder: Folder,
}

/// The price of everything.
pub(crate) fn price() -> Answer {
    http(200, "", "125")
}

impl Stage {
    pub(crate) async fn start(seconds: u64) -> Result<Self, Failure> {
        let folder = Folder::new()?;
        let postgres = Postgres::start(&folder).await?;
        let redis = Redis::start(&folder, "redis", &[]).await?;
        let stock = Grpc::start().await?;
        let prices = Socket::start(price()).await?;
        let mut settings: toml::Table = toml::from_str(SETTINGS)?;
        let listen = format!("127.0.0.1:{}", free_port()?);
        settings.insert("listen".into(), listen.clone().into());
        settings.insert("drainMs".into(), 800.into());
        let addresses = [
            ("postgres", format!("postgres://admin:admin@127.0.0.1:{}/postgres", postgres.port)),
            ("redis", redis.url("")),
            ("prices", format!("http://{}", prices.address)),
            ("stock", format!("http://{}", stock.address)),
        ];
        let addresses = addresses.map(|(name, address)| (name.to_owned(), address.into()));
        let addresses: toml::Table = addresses.into_iter().collect();
        settings.insert("addresses".into(), addresses.into());
        let own = folder.of("service")?;
        let file = own.join("upstreams.toml");
        fs::write(&file, settings.to_string())?;
        let words = [std::env::current_exe()?, "--service".into(), file.clone()];
        let words = words.map(|word: PathBuf| word.display().to_string());
        let mut service = Server::start(&words, &own)?;
        let url = format!("http://{listen}");
        let load = Load::new(&url)?;
        service.ready(async || load.send(load.get("/readyz")).await.status == Some(200)).await?;
        let prometheus = Prometheus::start(&folder, &listen).await?;
        let (phase, stock, read) = (Duration::from_secs(seconds), Some(stock), 0);
        Ok(Self {
            service,
            load,
            prometheus,
            postgres,
            redis,
            stock,
            prices,
            phase,
            settings,
            file,
            url,
            read,
            _folder: folder,
        })
    }

    pub(crate) fn addresses(&self) -> String {
        let prometheus = match &self.prometheus {
            Some(prometheus) => format!("Prometheus at {}", prometheus.url),
            None => "no Prometheus, so that nothing scrapes: apt-get install prometheus".into(),
        };
        format!("service at {}, {prometheus}", self.url)
    }

    /// What the service has printed since the last [`calls`](Self::calls).
    pub(crate) fn log(&self) -> String {
        self.service.printed().split_off(self.read)
    }

    /// As [`calls`](Self::calls), of one upstream; they remain to be read.
    pub(crate) fn calls_of(&self, upstream: &str) -> Calls {
        let (log, name) = (self.log(), format!("upstream=\"{upstream}\""));
        let lines = log.lines().filter(|line| line.contains(&name));
        Calls::of(&lines.collect::<Vec<_>>().join("\n"))
    }

    /// The calls that the service has logged since the last time.
    pub(crate) fn calls(&mut self) -> Calls {
        let log = self.log();
        self.read += log.len();
        Calls::of(&log)
    }

    /// Writes other settings, and has the service read them.
    pub(crate) fn reload(&self, settings: &toml::Table) -> Result<(), Failure> {
        fs::write(&self.file, settings.to_string())?;
        self.service.signal("HUP")
    }

    /// Sets what an attempt of the prices has at most.
    pub(crate) fn with_attempts(&self, attempts: i64) -> toml::Table {
        let mut settings = self.settings.clone();
        let retry =
            ["upstreams", "prices", "retry"].into_iter().try_fold(&mut settings, |table, name| {
                table.get_mut(name).and_then(toml::Value::as_table_mut)
            });
        if let Some(retry) = retry {
            retry.insert("maxAttempts".into(), attempts.into());
        }
        settings
    }
}

/// A Prometheus that scrapes the service.
pub(crate) struct Prometheus {
    url: String,
    client: Client,
    _server: Server,
}

impl Prometheus {
    /// Starts it, if the system has it.
    async fn start(folder: &Folder, target: &str) -> Result<Option<Self>, Failure> {
        if Command::new("prometheus").arg("--version").output().is_err() {
            return Ok(None);
        }
        let own = folder.of("prometheus")?;
        let address = format!("127.0.0.1:{}", free_port()?);
        let file = own.join("prometheus.yml");
        let job =
            format!("[{{ job_name: service, static_configs: [{{ targets: ['{target}'] }}] }}]");
        let global = "{ scrape_interval: 200ms, scrape_timeout: 200ms }";
        fs::write(&file, format!("global: {global}\nscrape_configs: {job}\n"))?;
        let words = [
            "prometheus".to_owned(),
            format!("--config.file={}", file.display()),
            format!("--storage.tsdb.path={}", own.join("data").display()),
            format!("--web.listen-address={address}"),
            "--log.level=error".into(),
        ];
        let mut server = Server::start(&words, &own)?;
        let url = format!("http://{address}");
        let client = Client::builder().no_proxy().build()?;
        let ready = format!("{url}/-/ready");
        server
            .ready(async || {
                let response = client.get(&ready).send().await;
                response.is_ok_and(|response| response.status().is_success())
            })
            .await?;
        Ok(Some(Self { url, client, _server: server }))
    }

    /// The value of an expression; `None` if it has none.
    pub(crate) async fn value(&self, query: &str) -> Option<f64> {
        let url = format!("{}/api/v1/query", self.url);
        let url = Url::parse_with_params(&url, [("query", query)]).ok()?;
        let text = self.client.get(url).send().await.ok()?.text().await.ok()?;
        let answer: Value = serde_json::from_str(&text).ok()?;
        answer["data"]["result"][0]["value"][1].as_str()?.parse().ok()
    }
}
