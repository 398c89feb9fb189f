use agently_core::output;

fn main() {
    output!([str, int]);
    output!({ "a": ["str", "Title", true] });
    output!({ "a": [(str, "B", oops)] });
}
