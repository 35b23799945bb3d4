//! The programs of the crate's front page, each in a fresh crate that has what the page says to
//! add, and nothing else.

use std::fs;
use std::path::Path;

use redress_tests::fresh::{blocks, cargo, fresh_crate};

#[test]
fn each_program_of_the_front_page_runs_in_a_fresh_crate() {
    let page =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../core/README.md")).unwrap();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fresh");
    let programs = fresh_crate(&folder, &page);
    assert_eq!(programs, 6, "programs of the page");
    cargo(&folder, &["build"]);
    for nth in 0..programs {
        let printed = cargo(&folder, &["run", "--bin", &format!("program{nth}")]);
        if nth == 0 {
            assert_eq!(printed, blocks(&page, "text")[0], "what the page says it prints");
        }
    }
}
