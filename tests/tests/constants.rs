//! What is wrong does not compile, and the compiler says what would be right.

/// The message of a constant has the field and the value.
#[test]
fn a_wrong_constant_does_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/constants/*.rs");
}

/// The message is at the mistake, and names what to write instead.
#[test]
fn a_part_of_the_wrong_kind_does_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/mistakes/*.rs");
}
