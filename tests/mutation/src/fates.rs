//! What became of each mutant, in a file: a line has the fate, the test and the name, with tabs
//! between them.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;

use crate::Mutant;
use crate::run::Fate;

/// Writes the fates of a run.
pub(crate) fn save(file: &Path, mutants: &[Mutant], fates: &[Fate]) -> Result<(), String> {
    let mut text = String::new();
    for (mutant, fate) in mutants.iter().zip(fates) {
        let (fate, by) = match fate {
            Fate::Killed(by) => ("killed", by.as_str()),
            Fate::TimedOut(by) => ("timed out", by.as_str()),
            Fate::Survived => ("survived", ""),
            Fate::NotReached => ("not reached", ""),
        };
        let _ = writeln!(text, "{fate}\t{by}\t{}", mutant.name);
    }
    std::fs::write(file, text).map_err(|why| format!("{}: {why}", file.display()))
}

/// The mutants that were killed, or no longer ended, by their names.
pub(crate) fn killed(file: &Path) -> Result<HashMap<String, Fate>, String> {
    let text = std::fs::read_to_string(file).map_err(|why| format!("{}: {why}", file.display()))?;
    let lines = text.lines().filter_map(|line| {
        let [fate, by, name] = line.splitn(3, '\t').collect::<Vec<_>>()[..] else { return None };
        let fate = match fate {
            "killed" => Fate::Killed(by.to_owned()),
            "timed out" => Fate::TimedOut(by.to_owned()),
            _ => return None,
        };
        Some((name.to_owned(), fate))
    });
    Ok(lines.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_killed_is_read_back_and_nothing_else() {
        let folder = std::env::temp_dir().join(format!("fates-{}", std::process::id()));
        let fates = [
            Fate::Killed("one::test".into()),
            Fate::TimedOut("another".into()),
            Fate::Survived,
            Fate::NotReached,
        ];
        let mutant = |number: u32| Mutant {
            number,
            first: 1,
            file: "f.rs".into(),
            line: 1,
            name: format!("f.rs f [constant] `0` `{number}`"),
        };
        let mutants: Vec<Mutant> = (1..=4).map(mutant).collect();
        save(&folder, &mutants, &fates).expect("a file can be written");
        let read = killed(&folder).expect("it is there");
        let _ = std::fs::remove_file(&folder);
        let found: Vec<Option<&Fate>> =
            mutants.iter().map(|mutant| read.get(&mutant.name)).collect();
        assert_eq!(found, [fates.first(), fates.get(1), None, None]);
    }
}
