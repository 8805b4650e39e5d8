// The smallest page that shows an item with react-iiif-vault. Everything about access is the library's own work: this page only
// turns the state of its auth store into text, and its actions into buttons.
import { createRoot } from "react-dom/client";
import { useAuthActions, useCurrentAuth } from "react-iiif-vault";
import { CanvasPanel } from "react-iiif-vault/canvas-panel";

function Access() {
  const { authItems, currentAuth } = useCurrentAuth();
  const { login, logout, setAuth } = useAuthActions();
  return (
    <div id="access" data-current={currentAuth}>
      {authItems.map((item, index) => (
        <p
          key={item.id}
          className="service"
          data-id={item.id}
          data-profile={item.type}
          data-state={item.isLoggedIn ? "in" : item.isPending ? "pending" : "out"}
          data-error={item.error ?? ""}
        >
          {item.service.label?.en?.join(" ")}
          <button className="choose" onClick={() => setAuth(index)}>Choose</button>
        </p>
      ))}
      <button id="login" onClick={login}>Log in</button>
      <button id="logout" onClick={logout}>Log out</button>
    </div>
  );
}

const manifest = new URLSearchParams(location.search).get("manifest");

createRoot(document.getElementById("vault")).render(
  <div id="stage">
    <CanvasPanel manifest={manifest} height={500} header={<Access />} />
  </div>,
);
