//! Tools that cargo builds once, into `target/tools`.

use std::path::Path;

use crate::needs::command;
use crate::progress;

/// A subcommand of cargo.
pub(crate) struct Tool {
    /// As in `cargo fuzz`.
    name: &'static str,
    /// What is built where it is missing.
    pub(crate) version: &'static str,
}

pub(crate) const FUZZ: Tool = Tool { name: "fuzz", version: "0.13.1" };
pub(crate) const DENY: Tool = Tool { name: "deny", version: "0.20.2" };

impl Tool {
    /// Builds it if it is missing: compile time counts, not its speed.
    ///
    /// # Errors
    ///
    /// What to run, if it cannot be built.
    pub(crate) fn install(&self, root: &Path) -> Result<(), String> {
        let Self { name, version } = *self;
        let is_there = || {
            let shown =
                command(root, &format!("cargo {name} --version")).env("PATH", path()).output();
            shown.is_ok_and(|output| output.stdout.trim_ascii_end().ends_with(version.as_bytes()))
        };
        if is_there() {
            return Ok(());
        }
        let install = format!(
            "cargo install cargo-{name} --locked --force --version {version} --root target/tools \
             --target-dir target/tools/build"
        );
        println!("== install: {install}");
        let mut command = command(root, &install);
        command.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1").env("CARGO_PROFILE_RELEASE_LTO", "off");
        let installed = progress::output(&mut command);
        if installed.is_ok_and(|output| output.status.success()) && is_there() {
            return Ok(());
        }
        Err(format!("it cannot be installed: run `{install}`"))
    }
}

/// The path, with where cargo finds these tools before all else.
pub(crate) fn path() -> String {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
    let tools = std::iter::once(root.join("target/tools/bin"));
    let path = std::env::join_paths(tools.chain(std::env::split_paths(&path))).unwrap_or_default();
    path.to_string_lossy().into_owned()
}
