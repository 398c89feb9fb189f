use agently_core::output;

fn main() {
    output!({
        "a": strng,
        "b": (flaot, "B"),
        "c": Vec<String>,
        "d": std::string::String,
        "e": Option<str>,
        "f": 3,
        "g": true,
        "h": date,
        "i": ("", "I"),
        "j": Str,
    });
}
