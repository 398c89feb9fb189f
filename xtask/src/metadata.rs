//! What cargo knows about the workspace.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::run::cargo_output;

/// The packages of the workspace and of its dependencies, with every feature on.
pub(crate) struct Metadata(Value);

/// One package.
#[derive(Clone, Copy)]
pub(crate) struct Package<'a>(&'a Value);

/// One direct dependency of a package, as its manifest has it.
pub(crate) struct Dependency<'a> {
    pub(crate) name: &'a str,
    /// `normal`, `dev` or `build`.
    pub(crate) kind: &'a str,
}

impl Metadata {
    pub(crate) fn load() -> Result<Self, String> {
        let text = cargo_output(&[
            "metadata",
            "--format-version",
            "1",
            "--all-features",
            "--locked",
        ])?;
        serde_json::from_str(&text)
            .map(Self)
            .map_err(|error| format!("the output of `cargo metadata` is not as expected: {error}"))
    }

    /// Every package, ours and others.
    pub(crate) fn packages(&self) -> impl Iterator<Item = Package<'_>> {
        list(&self.0, "packages").map(Package)
    }

    /// The packages of this workspace.
    pub(crate) fn members(&self) -> impl Iterator<Item = Package<'_>> {
        let ids: BTreeSet<&str> = list(&self.0, "workspace_members")
            .filter_map(Value::as_str)
            .collect();
        self.packages()
            .filter(move |package| ids.contains(package.text("id")))
    }

    /// Everything that is compiled for whoever uses these packages: normal and build dependencies,
    /// on any platform, the packages themselves included.
    pub(crate) fn closure<'a>(
        &'a self,
        of: impl IntoIterator<Item = Package<'a>>,
    ) -> Vec<Package<'a>> {
        let resolve = self.0.get("resolve").unwrap_or(&Value::Null);
        let nodes: BTreeMap<&str, &Value> = list(resolve, "nodes")
            .map(|node| (text(node, "id"), node))
            .collect();
        let mut open: Vec<&str> = of.into_iter().map(|package| package.text("id")).collect();
        let mut seen = BTreeSet::new();
        while let Some(id) = open.pop() {
            if !seen.insert(id) {
                continue;
            }
            let Some(node) = nodes.get(id) else { continue };
            open.extend(
                list(node, "deps")
                    .filter(|dep| list(dep, "dep_kinds").any(|kind| text(kind, "kind") != "dev"))
                    .map(|dep| text(dep, "pkg")),
            );
        }
        self.packages()
            .filter(|package| seen.contains(package.text("id")))
            .collect()
    }
}

impl<'a> Package<'a> {
    fn text(self, key: &str) -> &'a str {
        text(self.0, key)
    }

    pub(crate) fn name(self) -> &'a str {
        self.text("name")
    }

    pub(crate) fn version(self) -> &'a str {
        self.text("version")
    }

    /// The oldest compiler it says it works with; empty if it does not say.
    pub(crate) fn rust_version(self) -> &'a str {
        self.text("rust_version")
    }

    /// Whether it goes to a registry.
    pub(crate) fn is_published(self) -> bool {
        self.0.get("publish").is_none_or(Value::is_null)
    }

    /// The names of its features, without `default`.
    pub(crate) fn features(self) -> Vec<&'a str> {
        self.0
            .get("features")
            .and_then(Value::as_object)
            .into_iter()
            .flat_map(|features| features.keys())
            .map(String::as_str)
            .filter(|name| *name != "default")
            .collect()
    }

    pub(crate) fn dependencies(self) -> impl Iterator<Item = Dependency<'a>> {
        list(self.0, "dependencies").map(|dependency| Dependency {
            name: text(dependency, "name"),
            kind: match text(dependency, "kind") {
                "" => "normal",
                kind => kind,
            },
        })
    }
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    value
        .get(key)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// A version as numbers that compare: `1.85` is `[1, 85, 0]`. Pre-release and build marks are left
/// out.
pub(crate) fn numbers(version: &str) -> [u64; 3] {
    let mut numbers = [0; 3];
    let release = version.split(['-', '+']).next().unwrap_or_default();
    for (number, part) in numbers.iter_mut().zip(release.split('.')) {
        *number = part.parse().unwrap_or(0);
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::numbers;

    #[test]
    fn versions_compare_as_numbers_and_not_as_text() {
        assert!(numbers("1.85") < numbers("1.100.0"));
        assert!(numbers("0.103.13") > numbers("0.103.9"));
        assert_eq!(numbers("2.0.0-rc.1+x"), [2, 0, 0]);
        assert_eq!(numbers(""), [0, 0, 0]);
    }
}
