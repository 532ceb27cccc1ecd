"""Cases: the one decider through which every change of a case passes."""
