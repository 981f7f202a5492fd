// Comfort for boxes that take a problem: Enter sends the form, as in a box of one line; Shift+Enter breaks the line.
// Without this module the button does.

for (const box of document.querySelectorAll("textarea[data-enter]")) {
  box.addEventListener("keydown", (event) => {
    // While Chinese is being composed, Enter takes the word.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    box.form.requestSubmit();
  });
}
