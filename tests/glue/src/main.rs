//! Counts the glue of each version, and prints the counted lines.

use std::path::Path;

/// Every line of a formatted file after `// glue`, but blank ones, comments, `use`, routes, and the
/// bodies of handlers (which take a `State`).
fn glue(source: &str) -> Vec<&str> {
    let mut counted = Vec::new();
    let mut in_handler = false;
    for line in source.lines().skip_while(|line| line.trim() != "// glue").skip(1) {
        let text = line.trim();
        if in_handler {
            in_handler = line != "}";
            continue;
        }
        let is_skipped = text.is_empty()
            || text.starts_with("//")
            || text.starts_with("use ")
            || text.contains(".route(");
        if !is_skipped {
            counted.push(line);
        }
        in_handler = line.starts_with("async fn") && line.contains("State(");
    }
    counted
}

fn main() -> std::io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut counts = Vec::new();
    for (name, file) in
        [("redress-tokio", "ours.rs"), ("backon", "with_backon.rs"), ("tower", "with_tower.rs")]
    {
        let source = std::fs::read_to_string(folder.join(file))?;
        let lines = glue(&source);
        println!("== {name}");
        println!("{}", lines.join("\n"));
        counts.push(format!("{name} {}", lines.len()));
    }
    println!("lines of glue: {}", counts.join(", "));
    Ok(())
}
