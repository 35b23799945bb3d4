use redress::{Policy, policy};

const HELPLESS: Policy = policy! { Policy::new() };

fn main() {
    let _ = HELPLESS;
}
