//! What a misspelt name may have meant.

/// How similar a name must be to be offered.
const NEAR: f64 = 0.6;
/// How many are offered.
const MOST: usize = 3;

/// A question for the known names that are most like this one, if there are such:
/// "did you mean `a` or `b`?"
#[must_use]
pub fn did_you_mean(name: &str, known: impl IntoIterator<Item = String>) -> Option<String> {
    let mut near: Vec<_> = known
        .into_iter()
        .map(|known| (strsim::sorensen_dice(&known, name), known))
        .filter(|(similarity, _)| *similarity >= NEAR)
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    near.dedup();
    let near: Vec<_> = near
        .iter()
        .take(MOST)
        .map(|(_, known)| format!("`{known}`"))
        .collect();
    (!near.is_empty()).then(|| format!("did you mean {}?", near.join(" or ")))
}
