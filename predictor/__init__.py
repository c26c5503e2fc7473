"""Records, findings and graph → features with their clock → a calibrated risk and its report."""
