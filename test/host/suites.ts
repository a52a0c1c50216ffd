import './extension.suite';
import './language.suite';
