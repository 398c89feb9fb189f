//! What `cargo tree` says a package is built of.

use std::collections::{BTreeMap, BTreeSet};

use crate::run::cargo_output;

/// The normal dependencies of a package on this platform, itself included: name and version, and
/// the features that are on.
pub(crate) struct Tree(BTreeMap<(String, String), BTreeSet<String>>);

impl Tree {
    pub(crate) fn load(package: &str, arguments: &[&str]) -> Result<Self, String> {
        let mut line = vec![
            "tree", "--locked", "-p", package, "-e", "normal", "--prefix", "none", "-f", "{p}|{f}",
        ];
        line.extend(arguments);
        Ok(Self::parse(&cargo_output(&line)?))
    }

    fn parse(text: &str) -> Self {
        let mut crates: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
        for line in text.lines() {
            // `name v1.2.3 (where or what)|feature,feature (*)`
            let (package, features) = line.split_once('|').unwrap_or((line, ""));
            let mut words = package.split_whitespace();
            let (Some(name), Some(version)) = (words.next(), words.next()) else {
                continue;
            };
            let features = features.trim_end_matches("(*)").trim();
            crates
                .entry((name.to_owned(), version.to_owned()))
                .or_default()
                .extend(
                    features
                        .split(',')
                        .filter(|f| !f.is_empty())
                        .map(str::to_owned),
                );
        }
        Self(crates)
    }

    /// How many crates there are; two versions of one count twice.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Those of `names` that are in the tree.
    pub(crate) fn names_of<'a>(&'a self, names: &'a [&str]) -> impl Iterator<Item = &'a str> {
        self.0
            .keys()
            .map(|(name, _)| name.as_str())
            .filter(move |name| names.contains(name))
    }

    /// The features of `name` that are on, in any of its versions.
    pub(crate) fn features_of(&self, name: &str) -> BTreeSet<String> {
        self.0
            .iter()
            .filter(|((own, _), _)| own == name)
            .flat_map(|(_, features)| features.iter().cloned())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Tree;

    #[test]
    fn a_crate_that_is_named_twice_counts_once() {
        let tree = Tree::parse(
            "agently v0.1.0 (/somewhere)|default\n\
             tokio v1.47.0|sync,default\n\
             serde_derive v1.0.0 (proc-macro)|\n\
             tokio v1.47.0|sync,rt (*)\n\
             tokio v0.2.0|net\n\n",
        );
        assert_eq!(tree.len(), 4);
        assert_eq!(tree.names_of(&["tokio", "smol"]).count(), 2);
        assert_eq!(
            tree.features_of("tokio").into_iter().collect::<Vec<_>>(),
            ["default", "net", "rt", "sync"]
        );
        assert!(tree.features_of("serde_derive").is_empty());
    }
}
