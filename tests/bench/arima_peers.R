# SPDX-License-Identifier: BSD-3-Clause
# Fits R's ARIMA to the columns of series.csv; for each a line: peer, order, series, ms, 0 if it converged,
# coefficients.
# usage: Rscript arima_peers.R ORDER..., each as p,d,q
fits <- list(
  "R arima0" = function(y, order) arima0(y, order = order, include.mean = FALSE),
  "R arima CSS" = function(y, order) arima(y, order = order, include.mean = FALSE, method = "CSS"),
  "R arima CSS-ML" = function(y, order) arima(y, order = order, include.mean = FALSE, method = "CSS-ML"))
series <- as.matrix(read.csv("series.csv"))
for (text in commandArgs(TRUE)) {
  order <- as.integer(strsplit(text, ",")[[1]])
  for (peer in names(fits)) for (s in seq_len(ncol(series))) {
    spent <- system.time(
      model <- tryCatch(suppressWarnings(fits[[peer]](series[, s], order)), error = function(e) NULL))
    ms <- 1000 * (spent[["user.self"]] + spent[["sys.self"]])
    code <- if (is.null(model)) 1 else if (is.null(model$code)) 0 else model$code
    cat(peer, text, s - 1, sprintf("%.6g", ms), code, paste(sprintf("%.17g", model$coef), collapse = " "), sep = ";")
    cat("\n")
  }
}
