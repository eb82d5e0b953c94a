/* A button below each animation, which stops it at its last picture and plays it again. */
document.addEventListener("DOMContentLoaded", () => {
  for (const picture of document.querySelectorAll("picture.animation")) {
    const { still, seconds } = picture.dataset;
    const image = picture.querySelector("img");
    const moving = image.src;
    const box = document.createElement("span");
    const button = document.createElement("button");
    let plays = !matchMedia("(prefers-reduced-motion: reduce)").matches;
    let end;
    const show = () => {
      clearTimeout(end);
      image.src = plays ? moving : still;
      button.textContent = plays ? "Pause" : "Play";
      button.setAttribute("aria-label", `${button.textContent} the animation`);
    };
    const turn = () => {
      plays = !plays;
      show();
    };
    button.type = "button";
    button.addEventListener("click", turn);
    // One that plays once has ended so many seconds after it was loaded.
    image.addEventListener("load", () => {
      if (plays && seconds) end = setTimeout(turn, 1000 * seconds);
    });
    box.className = `animation ${image.className}`;
    picture.replaceWith(box);
    box.append(image, button);
    show();
  }
});
