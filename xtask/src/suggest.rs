//! What a misspelt name may have meant.

/// How similar a name must be to be offered.
const NEAR: f64 = 0.6;
/// How many are offered.
const MOST: usize = 3;
/// The longest name that one looks for in others, in bytes; no longer one is a slip.
const LONGEST: usize = 200;

/// A question for the known names that are most like this one, if there are such:
/// "did you mean `a` or `b`?"
#[must_use]
pub fn did_you_mean(name: &str, known: impl IntoIterator<Item = String>) -> Option<String> {
    let near: Vec<_> = near(name, known)
        .iter()
        .map(|known| format!("`{known}`"))
        .collect();
    (!near.is_empty()).then(|| format!("did you mean {}?", near.join(" or ")))
}

/// The known names that are most like this one, the likeliest first.
#[must_use]
pub fn near(name: &str, known: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut near: Vec<_> = known
        .into_iter()
        .filter(|known| known.len().max(name.len()) <= LONGEST)
        .map(|known| (similarity(&known, name), known))
        .filter(|(similarity, _)| *similarity >= NEAR)
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    near.dedup();
    near.into_iter()
        .take(MOST)
        .map(|(_, known)| known)
        .collect()
}

/// How much of the parts of two names is the same, or of their letters in their order: the one finds
/// parts that are missing or elsewhere, the other a slip in a short name.
fn similarity(a: &str, b: &str) -> f64 {
    strsim::sorensen_dice(a, b).max(strsim::normalized_damerau_levenshtein(a, b))
}
