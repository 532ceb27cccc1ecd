// Before anything is painted: with scripts the page has other controls, and none of them may jump.
document.documentElement.classList.add("js");
