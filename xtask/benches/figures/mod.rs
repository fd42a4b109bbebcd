//! A figure: the ratio of two measurements that took turns, with its target beside it.

/// The median of something about many pairs of measurements.
pub fn median(pairs: &[(f64, f64)], of: impl Fn(&(f64, f64)) -> f64) -> f64 {
    let mut values: Vec<f64> = pairs.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Prints the heading of a table of figures.
pub fn heading() {
    println!("{:50} ratio  target      first     second", "");
}

/// Prints the median of the ratios of many pairs of seconds.
pub fn report(title: &str, times: &[(f64, f64)], target: &str) {
    let ratio = median(times, |(first, second)| first / second);
    let (first, second) = (median(times, |pair| pair.0), median(times, |pair| pair.1));
    println!(
        "{title:50} {ratio:5.2}   <= {target} {:7.1} ms {:7.1} ms",
        first * 1e3,
        second * 1e3
    );
}
