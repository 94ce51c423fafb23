"""The R script that comes with every report and fits the mixed model again with lme4."""

from typing import Final

from results.data import ORDER

SCRIPT: Final = """\
# The mixed model of the report, again, with lme4. Run it beside answers.csv:
#
#     Rscript mixed-model.R
#
# R reads the exported table and needs no other file. "sd" are standard deviations, log-odds.
library(lme4)

answers <- read.csv("answers.csv", na.strings = "", stringsAsFactors = FALSE)
d <- subset(answers, kind == "trial" & !is.na(agrees) & !is.na(margin))
d <- subset(d, excluded == "false") # those whom the study's rules leave out
d$agreed <- as.integer(d$agrees == "true")
d$clear <- as.numeric(scale(abs(d$margin)))
d$side <- ifelse((d$choice == "A") == (d$agreed == 1), 1, -1)
known <- c(%(order)s)
d$instrument <- factor(d$instrument, levels = known[known %%in%% d$instrument])
d$listener_id <- factor(d$listener_id)
d$triplet_id <- factor(d$triplet_id)

terms <- c(
  if (length(unique(d$clear)) > 1) "clear",
  if (length(unique(d$side)) > 1) "side",
  if (nlevels(d$instrument) > 1) "instrument",
  "(1 | listener_id)", "(1 | triplet_id)"
)
model <- glmer(
  reformulate(terms, "agreed"), data = d, family = binomial,
  control = glmerControl(optimizer = "bobyqa", optCtrl = list(maxfun = 20000))
)
print(summary(model))

found <- coef(summary(model))
name <- sub("^instrument", "", rownames(found))
name[name == "(Intercept)"] <- "%(constant)s"
name[name == "clear"] <- "margin"
sds <- as.data.frame(VarCorr(model))
out <- data.frame(
  name = c(name, paste0("sd_", sub("_id$", "", sds$grp))),
  estimate = c(found[, "Estimate"], sds$sdcor),
  error = c(found[, "Std. Error"], rep(NA, nrow(sds)))
)
write.csv(out, "mixed-model-lme4.csv", row.names = FALSE)
"""


def r_script() -> str:
    """The script as a text."""
    order = ", ".join(f'"{name}"' for name in ORDER)
    return SCRIPT % {"order": order, "constant": "(constant)"}
