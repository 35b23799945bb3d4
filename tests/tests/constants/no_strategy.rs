use redress::{policy, Policy};

const HELPLESS: Policy = policy! { Policy::builder() };

fn main() {
    let _ = HELPLESS;
}
