//! The workflow for Linux, macOS and Windows. It is not run here; it parses, and has every part.

use std::process::Command;

use yaml_rust2::{Yaml, YamlLoader};

use crate::{read, tracked};

fn workflow() -> Yaml {
    let mut documents = YamlLoader::load_from_str(&read(".github/workflows/ci.yml")).unwrap();
    assert_eq!(documents.len(), 1);
    documents.remove(0)
}

/// All commands of a job.
fn commands(job: &Yaml) -> Vec<&str> {
    let steps = job["steps"].as_vec().unwrap();
    steps.iter().filter_map(|step| step["run"].as_str()).collect()
}

#[test]
fn the_workflow_runs_each_part_of_the_suite() {
    let workflow = workflow();
    let suite = &workflow["jobs"]["suite"];
    let parts = suite["strategy"]["matrix"]["part"].as_vec().unwrap();
    let parts: Vec<&str> = parts.iter().filter_map(Yaml::as_str).collect();
    assert_eq!(commands(suite), ["cargo suite ${{ matrix.part }}"]);
    let list = Command::new(env!("CARGO_BIN_EXE_suite")).args(["all", "--list"]).output().unwrap();
    let list = String::from_utf8(list.stdout).unwrap();
    let named = list.lines().filter_map(|line| line.split_once(": "));
    // A part's name begins its paragraph, and its count of steps follows.
    let mut in_all: Vec<&str> = named
        .map(|(name, _)| name)
        .filter(|name| name.chars().all(char::is_alphanumeric))
        .collect();
    in_all.retain(|name| !["long", "mutants", "fuzz", "miri", "release", "bench"].contains(name));
    assert_eq!(parts, in_all);
}

#[test]
fn every_job_of_the_workflow_has_a_machine_a_bound_of_time_and_a_command() {
    let workflow = workflow();
    let jobs = workflow["jobs"].as_hash().unwrap();
    assert!(jobs.len() >= 5, "{} jobs", jobs.len());
    for (name, job) in jobs {
        let name = name.as_str().unwrap();
        assert!(job["runs-on"].as_str().is_some(), "{name}");
        assert!(job["timeout-minutes"].as_i64().is_some(), "{name}");
        assert!(!commands(job).is_empty(), "{name}");
    }
}

/// Vectors, manifests and programs that the workflow's commands name.
#[test]
fn every_path_in_the_workflow_is_there() {
    let tracked = tracked();
    let workflow = workflow();
    let mut seen = 0;
    for (_, job) in workflow["jobs"].as_hash().unwrap() {
        for path in commands(job).iter().flat_map(|line| line.split(' ')) {
            if path.contains('/') && path.contains('.') {
                assert!(tracked.iter().any(|one| one == path), "{path}");
                seen += 1;
            }
        }
    }
    assert!(seen >= 3, "{seen} paths");
}
